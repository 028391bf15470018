//! The one configuration file: each crate owns its section, nested here; `GILBRETH_<SECTION>_<KEY>` overrides.

use std::path::Path;

use anyhow::{Context as _, bail};
use gilbreth_analytics::parameters::Parameters;
use gilbreth_collector::store::{FORMAT, Manifest};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// What a new store is made with.
    pub(crate) store: Store,
    /// Receiving, the gate, the log and its commits.
    pub(crate) collector: gilbreth_collector::config::Config,
    /// The parameters of the measurement.
    pub(crate) measurement: Parameters,
    /// The service.
    pub(crate) serve: Serve,
    /// Spans of our own.
    pub(crate) telemetry: Telemetry,
    /// Background work, and which versions stay readable.
    pub(crate) upkeep: gilbreth_collector::config::Upkeep,
    /// For how long rows are kept.
    pub(crate) retention: gilbreth_collector::config::Retention,
}

/// The sections, as environment variables name them.
const SECTIONS: [&str; 7] = ["store", "collector", "measurement", "serve", "telemetry", "upkeep", "retention"];

/// What a new store is made with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// The estate's name, as reports print it.
    pub(crate) estate: String,
    /// Local time of the workers, by its IANA name.
    #[serde(deserialize_with = "time_zone", serialize_with = "time_zone_name")]
    pub(crate) time_zone: chrono_tz::Tz,
}

fn time_zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<chrono_tz::Tz, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(|_| D::Error::custom(format!("there is no time zone {name:?} in the IANA list")))
}

fn time_zone_name<S: serde::Serializer>(zone: &chrono_tz::Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

impl Default for Store {
    fn default() -> Self {
        Self { estate: "estate".to_owned(), time_zone: chrono_tz::Europe::London }
    }
}

/// The service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Serve {
    /// How often the facts are brought up to date, seconds.
    pub(crate) refresh_every_s: u64,
}

impl Default for Serve {
    fn default() -> Self {
        Self { refresh_every_s: 300 }
    }
}

/// Spans of our own: where they are sent, and how many of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Telemetry {
    /// The collector that takes them; none are made where this is empty and no `OTEL_EXPORTER_OTLP_*` variable names one.
    pub(crate) endpoint: String,
    /// How it is spoken to.
    pub(crate) protocol: Protocol,
    /// Which share of traces is sent, 0 to 1.
    #[serde(deserialize_with = "share")]
    pub(crate) sample_ratio: f64,
}

/// How a collector is spoken to, by the names of `OTEL_EXPORTER_OTLP_PROTOCOL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    /// gRPC, by default on port 4317.
    #[serde(rename = "grpc")]
    Grpc,
    /// HTTP with protobuf, by default on port 4318.
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("sample_ratio is {share}: it must be 0 to 1"));
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { endpoint: String::new(), protocol: Protocol::Grpc, sample_ratio: 1.0 }
    }
}

impl Config {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let text = match file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the configuration {}", file.display()))?,
            None => String::new(),
        };
        let named = || file.map_or_else(|| "the configuration".to_owned(), |file| file.display().to_string());
        // Parsed from the text first, for errors that name the line.
        let config: Self = toml::from_str(&text).with_context(named)?;
        let variables = std::env::vars().filter_map(|(name, value)| Some((override_path(&name)?, value)));
        let overrides: Vec<_> = variables.collect();
        if overrides.is_empty() {
            return Ok(config);
        }
        let mut table: toml::Table = toml::from_str(&text).with_context(named)?;
        for ((section, key), value) in overrides {
            let variable = format!("GILBRETH_{}_{}", section.to_uppercase(), key.to_uppercase());
            let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
                .ok()
                .and_then(|mut parsed| parsed.remove("value"))
                .unwrap_or(toml::Value::String(value));
            let entry = table.entry(section.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let Some(inside) = entry.as_table_mut() else { bail!("{section} is no section in {}", named()) };
            inside.insert(key, value);
            toml::Value::Table(table.clone())
                .try_into::<Self>()
                .with_context(|| format!("environment variable {variable}"))?;
        }
        Ok(toml::Value::Table(table).try_into()?)
    }

    /// What a new store is made with.
    pub(crate) fn manifest(&self) -> Manifest {
        Manifest { estate: self.store.estate.clone(), time_zone: self.store.time_zone, format: FORMAT }
    }
}

/// Section and key of an environment variable that overrides; `None` for every other variable, those of the key and of
/// the tests included.
fn override_path(name: &str) -> Option<(String, String)> {
    let rest = name.strip_prefix("GILBRETH_")?.to_lowercase();
    let (section, key) = rest.split_once('_')?;
    if (section, key) == ("store", "key") || !SECTIONS.contains(&section) {
        return None;
    }
    Some((section.to_owned(), key.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Config;

    #[test]
    fn the_example_is_the_default_written_out() {
        let example = include_str!("../gilbreth.example.toml");
        let parsed: Config = toml::from_str(example).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Config::default()));
        // Defaults fill what is left out, so that the keys themselves are compared too.
        let written: toml::Table = toml::from_str(example).unwrap();
        assert_eq!(keys(&written), keys(&toml::Table::try_from(Config::default()).unwrap()));
    }

    fn keys(table: &toml::Table) -> BTreeSet<String> {
        let sections = table.iter().flat_map(|(section, inside)| {
            let inside = inside.as_table().unwrap_or_else(|| panic!("{section} is a section"));
            inside.keys().map(move |key| format!("{section}.{key}"))
        });
        sections.collect()
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = toml::from_str::<Config>("[store]\nestate = \"x\"\ncolour = 3\n").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("colour"), "{error}");
    }

    #[test]
    fn a_parameter_out_of_bounds_is_refused_with_its_line() {
        for (value, says) in [("nan", "NaN is not between 0 and 3600"), ("-1.0", "-1 is not between"), ("inf", "inf")] {
            let error = toml::from_str::<Config>(&format!("[measurement]\nswitch_s = {value}\n")).unwrap_err();
            assert!(error.to_string().contains("line 2") && error.to_string().contains(says), "{error}");
        }
    }
}
