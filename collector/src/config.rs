//! The collector's section of the configuration. Few options: what nobody will tune is a constant where it is used.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{pipeline, receive::tls};

mod upkeep;

pub use upkeep::{Retention, Upkeep};

/// How exports are received and what the gate lets through. Each key has a default; unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Origins (`https://cases.example`) whose pages may send from a browser; `*` is every origin, which lets any page
    /// that somebody opens on this machine send. Default: none.
    pub cors_origins: Vec<String>,
    /// Exact names of attributes that stay, beyond those of the conventions. Each one listed is stored in clear.
    pub keep_attributes: Vec<String>,
    /// The key by which pages digest values: the same in all systems of the estate, or nothing ever agrees. Used for
    /// values that come as text. No secret, since pages hold it.
    #[serde(deserialize_with = "bounds::page_key")]
    pub page_key: String,
    /// Whether senders without a token, where none is needed, may send old exports and say when they were first received.
    /// Default: no, since a wrong time of receipt shifts a worker's day. A token has this right for itself.
    pub replay: bool,
    /// Most bytes of a request, after decompression. More takes more memory; less makes senders split.
    #[serde(deserialize_with = "bounds::body_bytes_max")]
    pub body_bytes_max: usize,
    /// Most requests in work at once, half of them of one sender; further ones wait for a while, and are then told to
    /// come again.
    #[serde(deserialize_with = "bounds::requests_at_once_max")]
    pub requests_at_once_max: usize,
    /// Rows are committed to `spans` when so many wait. More makes fewer and larger files, and a longer replay.
    #[serde(deserialize_with = "bounds::commit_rows")]
    pub commit_rows: usize,
    /// Or after so many seconds, whichever comes first. Until then a query sees them only in this process.
    #[serde(deserialize_with = "bounds::commit_after_s")]
    pub commit_after_s: u64,
    /// Bytes of rows that may wait for their commit; beyond it senders are told to come again.
    #[serde(deserialize_with = "bounds::waiting_bytes_max")]
    pub waiting_bytes_max: usize,
    /// Spans remembered so that repeats are dropped, 16 bytes each. Fewer forgets sooner than a day on a busy
    /// estate.
    #[serde(deserialize_with = "bounds::seen_max")]
    pub seen_max: usize,
    /// The folder with the rules by which the browser agent names what it sees: `<system>.json` for each system that has
    /// some. Read at the start. Empty: none.
    pub agent_rules: PathBuf,
    /// Whether a system with rules of its own has no screens, fields and buttons but those that they name; the others become
    /// `other`. Whatever a page may say then, no name of a person comes in as that of a field.
    pub strict_names: bool,
    /// TLS on the ports that take OTLP. Default: none.
    pub tls: tls::Config,
}

impl Config {
    /// The pipeline's part.
    #[must_use]
    pub fn pipeline(&self) -> pipeline::Config {
        pipeline::Config {
            commit_rows: self.commit_rows,
            commit_after: Duration::from_secs(self.commit_after_s),
            waiting_bytes_max: self.waiting_bytes_max,
            seen_max: self.seen_max,
            ..pipeline::Config::default()
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let pipeline = pipeline::Config::default();
        Self {
            cors_origins: Vec::new(),
            keep_attributes: KEEP_ATTRIBUTES.map(str::to_owned).into(),
            page_key: "gilbreth".to_owned(),
            replay: false,
            body_bytes_max: 64 << 20,
            requests_at_once_max: 64,
            commit_rows: pipeline.commit_rows,
            commit_after_s: pipeline.commit_after.as_secs(),
            waiting_bytes_max: pipeline.waiting_bytes_max,
            seen_max: pipeline.seen_max,
            agent_rules: PathBuf::new(),
            strict_names: false,
            tls: tls::Config::default(),
        }
    }
}

/// What each number may be. Outside it nothing would be taken, or nothing would end.
mod bounds {
    use serde::{Deserialize, Deserializer, de::Error};

    macro_rules! within {
        ($($key:ident: $number:ty = $least:expr, $most:expr;)*) => {
            $(pub(super) fn $key<'de, D: Deserializer<'de>>(from: D) -> Result<$number, D::Error> {
                let number = <$number>::deserialize(from)?;
                if ($least..=$most).contains(&number) {
                    return Ok(number);
                }
                let (key, least, most): (_, $number, $number) = (stringify!($key), $least, $most);
                Err(D::Error::custom(format!("{key} is {number}: it must be {least} to {most}")))
            })*
            #[cfg(test)]
            pub(super) const ALL: &[(&str, u64, u64)] =
                &[$((stringify!($key), { const LEAST: $number = $least; LEAST as u64 }, { const MOST: $number = $most; MOST as u64 })),*];
        };
    }

    within! {
        body_bytes_max: usize = 1 << 10, 256 << 20;
        requests_at_once_max: usize = 1, 4_096;
        commit_rows: usize = 1, 10_000_000;
        commit_after_s: u64 = 1, 86_400;
        waiting_bytes_max: usize = 1 << 20, 64 << 30;
        seen_max: usize = 1, 1_000_000_000;
    }

    pub(super) fn page_key<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        let key = String::deserialize(from)?;
        if key.is_empty() { Err(D::Error::custom("page_key is empty: pages need one to digest by")) } else { Ok(key) }
    }
}

/// Attributes that stay when nothing is configured.
const KEEP_ATTRIBUTES: [&str; 9] = [
    "http.route",
    "http.response.status_code",
    "url.template",
    "db.operation.name",
    "error.type",
    "browser.mobile",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "deployment.environment.name",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default_and_unknown_keys_are_refused() {
        assert_eq!(toml::from_str::<Config>("").unwrap(), Config::default());
        let error = toml::from_str::<Config>("page_key = 'x'\nkeep_atributes = []").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("keep_atributes"), "{error}");
    }

    #[test]
    fn a_number_out_of_its_bounds_is_refused_by_its_key() {
        assert_eq!(bounds::ALL.len(), 6, "every number of the section");
        for &(key, least, most) in bounds::ALL {
            for number in [least, most] {
                toml::from_str::<Config>(&format!("{key} = {number}")).unwrap();
            }
            for number in [least - 1, most + 1] {
                let error = toml::from_str::<Config>(&format!("{key} = {number}")).unwrap_err().to_string();
                assert!(error.contains(&format!("{key} is {number}: it must be {least} to {most}")), "{error}");
            }
        }
        let error = toml::from_str::<Config>("replay = false\n[tls]\ncertificate = 'c.pem'\nkey = ''").unwrap_err();
        assert!(error.to_string().contains("line 2") && error.to_string().contains("both"), "{error}");
        let error = toml::from_str::<Config>("page_key = ''").unwrap_err().to_string();
        assert!(error.contains("page_key is empty"), "{error}");
    }
}
