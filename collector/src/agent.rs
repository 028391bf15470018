//! What pages of case systems ask for: the browser agent, and the rules by which it names what it sees.
//!
//! `agent/agent.js` is the source; the build packs it ([`SCRIPT`], [`SCRIPT_GZIP`]). Rules are a file a system, so that a
//! system whose pages nobody may change is named all the same. They are read once, at the start, and refused with their
//! place if they say what the agent would not understand: it would pass over it in silence.

use std::{collections::BTreeMap, fs, io, path::Path};

use bytes::Bytes;
use gilbreth_conventions::kind::ValueKind;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, config::Config};

/// The agent as it is served.
pub(crate) const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent.js"));
/// The same, compressed with gzip.
pub(crate) const SCRIPT_GZIP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent.js.gz"));

/// Most bytes of one system's rules: every page of it loads them.
const RULES_BYTES_MAX: u64 = 256 << 10;

/// How the agent names what it sees in the pages of one system. Selectors are those of CSS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Rules {
    /// The element that names the worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Every element that names the case by a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The element that names the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Forms and fields that search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// What signs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_out: Option<String>,
    /// The first that fits says which screen it is.
    pub screens: Vec<Screen>,
    /// The first that fits says which field it is.
    pub fields: Vec<Field>,
}

/// A screen, by its address or by what is on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// A pattern of addresses as the browser's `URLPattern` has them; its groups `:case`, `:record` and `:taskid` say of
    /// what the screen is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Something that only this screen has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Its name.
    pub screen: String,
    /// The task that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

/// A field, by a selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Which fields, or what they are in.
    pub on: String,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The kind of value that they take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether nothing is told of their values.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[serde(default)]
    pub ignore: bool,
}

/// The rules of each system that has some, as they are served.
#[derive(Debug, Clone)]
pub struct Rulebook {
    of: BTreeMap<String, Bytes>,
    /// For every other system.
    none: Bytes,
}

impl Rulebook {
    /// Reads `<system>.json` of each system in the folder that the configuration names; without one there are none. The
    /// page key goes with them, so that pages digest with the key that the collector has.
    ///
    /// # Errors
    /// `Invalid`, with the file and the place in it, if one cannot be understood or is too large; `Unavailable` if folder
    /// or file cannot be read.
    pub fn load(config: &Config) -> Result<Self, Error> {
        let folder = config.agent_rules.as_path();
        let mut of = BTreeMap::new();
        if !folder.as_os_str().is_empty() {
            for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
                let path = entry.map_err(|error| unreadable(folder, error))?.path();
                if path.extension().is_some_and(|kind| kind == "json")
                    && let Some(system) = path.file_stem().and_then(|name| name.to_str())
                {
                    of.insert(system.to_owned(), served(&read(&path)?, &config.page_key));
                }
            }
        }
        Ok(Self { of, none: served(&Rules::default(), &config.page_key) })
    }

    /// What pages of a system get.
    pub(crate) fn of(&self, system: &str) -> Bytes {
        self.of.get(system).unwrap_or(&self.none).clone()
    }
}

fn served(rules: &Rules, key: &str) -> Bytes {
    #[derive(Serialize)]
    struct Served<'a> {
        key: &'a str,
        #[serde(flatten)]
        rules: &'a Rules,
    }
    serde_json::to_vec(&Served { key, rules }).expect("rules are texts, which JSON can hold").into()
}

fn read(path: &Path) -> Result<Rules, Error> {
    let invalid = |what: String| Error::new(ErrorKind::Invalid, format!("{}: {what}", path.display()));
    let bytes = fs::metadata(path).map_err(|error| unreadable(path, error))?.len();
    if bytes > RULES_BYTES_MAX {
        return Err(invalid(format!("{bytes} bytes of rules, of at most {RULES_BYTES_MAX}")));
    }
    Rules::parse(&fs::read(path).map_err(|error| unreadable(path, error))?).map_err(invalid)
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    let text = format!("the agent's rules cannot be read: {}", path.display());
    Error::new(ErrorKind::Unavailable, text).caused_by(error)
}

impl Rules {
    /// Reads them; an error says where and what.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let rules: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        for (place, screen) in rules.screens.iter().enumerate() {
            if screen.url.is_none() && screen.on.is_none() {
                return Err(format!("screens[{place}] ({}) has neither url nor on", screen.screen));
            }
        }
        for (place, field) in rules.fields.iter().enumerate() {
            if let Some(kind) = field.kind.as_deref().filter(|kind| ValueKind::parse(kind).is_none()) {
                return Err(format!("fields[{place}].kind is {kind}, which is no kind of value"));
            }
        }
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_agent_is_small() {
        assert!(SCRIPT_GZIP.len() <= 8_192, "{} bytes", SCRIPT_GZIP.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(SCRIPT_GZIP).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, SCRIPT);
    }

    fn rulebook(files: &[(&str, &str)]) -> Result<Rulebook, Error> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let agent_rules = folder.path().to_owned();
        Rulebook::load(&Config { agent_rules, page_key: "estate".to_owned(), ..Config::default() })
    }

    #[test]
    fn rules_are_served_with_the_page_key() {
        let text = r##"{"case": "#crn", "signOut": ".off", "fields": [{"on": "#dob", "name": "Date of birth", "kind": "date"}]}"##;
        let rulebook = rulebook(&[("ndelius.json", text), ("notes.txt", "not rules")]).unwrap();
        let rules: serde_json::Value = serde_json::from_slice(&rulebook.of("ndelius")).unwrap();
        assert_eq!(
            rules,
            serde_json::json!({"key": "estate", "case": "#crn", "signOut": ".off", "screens": [],
                "fields": [{"on": "#dob", "name": "Date of birth", "kind": "date"}]})
        );
        let others: serde_json::Value = serde_json::from_slice(&rulebook.of("oasys")).unwrap();
        assert_eq!(others, serde_json::json!({"key": "estate", "screens": [], "fields": []}));
    }

    #[test]
    fn rules_that_the_agent_would_pass_over_are_refused_with_their_place() {
        for (text, says) in [
            (r#"{"cases": "x"}"#, "unknown field `cases`"),
            (r#"{"screens": [{"screen": "Home"}]}"#, "screens[0] (Home) has neither url nor on"),
            (r#"{"fields": [{"on": "x", "kind": "dates"}]}"#, "fields[0].kind is dates"),
            ("{\n", "line 2"),
            (&" ".repeat(300 << 10), "of at most 262144"),
        ] {
            let error = rulebook(&[("oasys.json", text)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("oasys.json") && error.to_string().contains(says), "{error}");
        }
    }
}
