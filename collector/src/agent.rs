//! What pages of case systems ask for: the browser agent, and the rules by which it names what it sees.
//!
//! `agent/agent.js` is the source; the build packs it ([`AGENT`]). Rules are a file a system, so that a
//! system whose pages nobody may change is named all the same. They are read once, at the start, and refused with their
//! place if they say what the agent would not understand: it would pass over it in silence.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::Path,
    sync::LazyLock,
};

use bytes::Bytes;
use gilbreth_conventions::kind::ValueKind;
use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    config::Config,
    gate::{Names, Seen, name_as_stored},
};

/// A script as it is served.
#[derive(Debug)]
pub(crate) struct Script {
    /// Packed.
    pub(crate) plain: &'static [u8],
    /// The same, compressed.
    pub(crate) gzip: &'static [u8],
}

/// The agent.
pub(crate) static AGENT: Script = Script {
    plain: include_bytes!(concat!(env!("OUT_DIR"), "/agent.js")),
    gzip: include_bytes!(concat!(env!("OUT_DIR"), "/agent.js.gz")),
};
/// What tells whoever works in a page that it is measured, and lets them pause it.
pub(crate) static NOTICE: Script = Script {
    plain: include_bytes!(concat!(env!("OUT_DIR"), "/notice.js")),
    gzip: include_bytes!(concat!(env!("OUT_DIR"), "/notice.js.gz")),
};

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
    /// The first whose pattern fits a field says what kind of value it takes, where nothing else does. Behind those of the
    /// system come [`KINDS`].
    pub kinds: Vec<Kind>,
    /// Names of buttons and links, which come in beside those of fields where names are strict. The agent needs them not.
    #[serde(skip_serializing)]
    pub actions: Vec<String>,
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

/// What the type, the `autocomplete` and the name of a field, in small letters, say of the kind of its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// A regular expression of the browser's.
    pub like: String,
    /// The kind.
    pub kind: String,
}

/// How fields are called that take values of a kind, in English.
static KINDS: LazyLock<Vec<Kind>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../agent/kinds.json")).expect("the file is a list of kinds"));

/// The rules of each system that has some, as they are served.
#[derive(Debug, Clone)]
pub struct Rulebook {
    of: BTreeMap<String, Bytes>,
    /// For every other system.
    none: Bytes,
    /// The names in them, if no others may come in.
    strict: Option<HashMap<String, Seen>>,
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
        let mut listed = HashMap::new();
        if !folder.as_os_str().is_empty() {
            for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
                let path = entry.map_err(|error| unreadable(folder, error))?.path();
                if path.extension().is_some_and(|kind| kind == "json")
                    && let Some(system) = path.file_stem().and_then(|name| name.to_str())
                {
                    let rules = read(&path)?;
                    listed.insert(name_as_stored(system), rules.names());
                    of.insert(system.to_owned(), served(rules, &config.page_key));
                }
            }
        }
        let strict = config.strict_names.then_some(listed);
        Ok(Self { of, none: served(Rules::default(), &config.page_key), strict })
    }

    /// What the gate is to remember of names: nothing yet, and no others than those of the rules where the configuration
    /// says so.
    #[must_use]
    pub fn names(&self) -> Names {
        Names::listed(self.strict.clone().unwrap_or_default())
    }

    /// What pages of a system get.
    pub(crate) fn of(&self, system: &str) -> Bytes {
        self.of.get(system).unwrap_or(&self.none).clone()
    }
}

fn served(mut rules: Rules, key: &str) -> Bytes {
    #[derive(Serialize)]
    struct Served<'a> {
        key: &'a str,
        #[serde(flatten)]
        rules: Rules,
    }
    rules.kinds.extend_from_slice(&KINDS);
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
    /// The screens and fields that they name, as the gate stores them.
    fn names(&self) -> Seen {
        Seen {
            screens: self.screens.iter().map(|screen| name_as_stored(&screen.screen)).collect(),
            fields: (self.fields.iter().filter_map(|field| field.name.as_deref()))
                .chain(self.actions.iter().map(String::as_str))
                .map(name_as_stored)
                .collect(),
        }
    }

    /// Reads them; an error says where and what.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let rules: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        for (place, screen) in rules.screens.iter().enumerate() {
            if screen.url.is_none() && screen.on.is_none() {
                return Err(format!("screens[{place}] ({}) has neither url nor on", screen.screen));
            }
        }
        let of_fields = rules.fields.iter().map(|field| ("fields", field.kind.as_deref())).enumerate();
        let of_patterns = rules.kinds.iter().map(|kind| ("kinds", Some(kind.kind.as_str()))).enumerate();
        for (place, (list, kind)) in of_fields.chain(of_patterns) {
            if let Some(kind) = kind.filter(|kind| ValueKind::parse(kind).is_none()) {
                return Err(format!("{list}[{place}].kind is {kind}, which is no kind of value"));
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
        assert!(AGENT.gzip.len() <= 8_192, "{} bytes", AGENT.gzip.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(AGENT.gzip).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, AGENT.plain);
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
    fn kinds_of_english_names_are_kinds_of_values() {
        assert!(KINDS.iter().all(|kind| ValueKind::parse(&kind.kind).is_some()));
    }

    #[test]
    fn rules_are_served_with_the_page_key() {
        let text = r##"{"case": "#crn", "signOut": ".off", "fields": [{"on": "#dob", "name": "Date of birth", "kind": "date"}],
            "kinds": [{"like": "dyddiad", "kind": "date"}]}"##;
        let rulebook = rulebook(&[("ndelius.json", text), ("notes.txt", "not rules")]).unwrap();
        let mut kinds = serde_json::to_value(&*KINDS).unwrap();
        let others: serde_json::Value = serde_json::from_slice(&rulebook.of("oasys")).unwrap();
        assert_eq!(others, serde_json::json!({"key": "estate", "screens": [], "fields": [], "kinds": kinds}));
        // A system's own words come first.
        kinds.as_array_mut().unwrap().insert(0, serde_json::json!({"like": "dyddiad", "kind": "date"}));
        let rules: serde_json::Value = serde_json::from_slice(&rulebook.of("ndelius")).unwrap();
        assert_eq!(
            rules,
            serde_json::json!({"key": "estate", "case": "#crn", "signOut": ".off", "screens": [],
                "fields": [{"on": "#dob", "name": "Date of birth", "kind": "date"}], "kinds": kinds})
        );
    }

    #[test]
    fn where_names_are_strict_a_system_with_rules_has_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"screens": [{"url": "/a", "screen": "Order 1234"}], "fields": [{"on": "x", "name": "Surname"}, {"on": "y"}], "actions": ["Save"]}"#;
        fs::write(folder.path().join("ndelius.json"), text).unwrap();
        let names = |strict_names| {
            let agent_rules = folder.path().to_owned();
            Rulebook::load(&Config { agent_rules, strict_names, ..Config::default() }).unwrap().names()
        };
        let strict = names(true);
        let screen = |names: &Names, system, name: &str| names.screen(Some(system), name.to_owned());
        assert_eq!(screen(&strict, "ndelius", "Order #"), "Order #");
        assert_eq!(screen(&strict, "ndelius", "Surname"), "other");
        assert_eq!(strict.field(Some("ndelius"), "Surname".to_owned()), "Surname");
        assert_eq!(strict.field(Some("ndelius"), "Save".to_owned()), "Save");
        assert_eq!(strict.field(Some("ndelius"), "Order #".to_owned()), "other");
        assert_eq!(screen(&strict, "oasys", "Anything"), "Anything");
        assert_eq!(screen(&names(false), "ndelius", "Anything"), "Anything");
    }

    #[test]
    fn rules_that_the_agent_would_pass_over_are_refused_with_their_place() {
        for (text, says) in [
            (r#"{"cases": "x"}"#, "unknown field `cases`"),
            (r#"{"screens": [{"screen": "Home"}]}"#, "screens[0] (Home) has neither url nor on"),
            (r#"{"fields": [{"on": "x", "kind": "dates"}]}"#, "fields[0].kind is dates"),
            (r#"{"kinds": [{"like": "x", "kind": "date"}, {"like": "y", "kind": "dates"}]}"#, "kinds[1].kind is dates"),
            ("{\n", "line 2"),
            (&" ".repeat(300 << 10), "of at most 262144"),
        ] {
            let error = rulebook(&[("oasys.json", text)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("oasys.json") && error.to_string().contains(says), "{error}");
        }
    }
}
