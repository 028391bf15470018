//! The mapping file: what a recorder's columns, applications and events mean.

use std::{collections::BTreeMap, fs, path::Path};

use gilbreth_conventions::{kind::ValueKind, normalise};
use serde::Deserialize;

use crate::{Error, ErrorKind};

/// A mapping, as its file says it; unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub(super) columns: Columns,
    pub(super) applications: BTreeMap<String, Application>,
    pub(super) events: BTreeMap<String, Event>,
    pub(super) choices: Option<Choices>,
    pub(super) case: Case,
    pub(super) values: Values,
    #[serde(skip)]
    pub(super) file: String,
}

/// The columns that every row has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) time: String,
    pub(super) worker: String,
    pub(super) application: String,
    pub(super) event: String,
}

/// Where rows of an application say what was used.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Application {
    Ignored(Ignored),
    Read(Box<Places>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignored {
    #[expect(dead_code, reason = "the key alone says it")]
    ignored: MustBeTrue,
}

/// `ignored = false` would be a riddle, so it is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "bool")]
struct MustBeTrue;

impl TryFrom<bool> for MustBeTrue {
    type Error = &'static str;

    fn try_from(truth: bool) -> Result<Self, Self::Error> {
        if truth { Ok(Self) } else { Err("ignored can only be true") }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Places {
    pub(super) system: Name,
    pub(super) screen: Name,
    pub(super) field: Name,
}

/// A name made of columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    columns: Vec<String>,
    #[serde(default)]
    pick: Pick,
    #[serde(default)]
    part: Part,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Pick {
    /// All that are not empty, joined by `/`.
    #[default]
    All,
    /// The first that is not empty.
    First,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    /// The text as it is.
    #[default]
    Whole,
    /// The letters that it starts with.
    Letters,
    /// The host of a URL, with its port if it names one.
    Host,
    /// The path of a URL, without query and fragment.
    Path,
}

impl Name {
    /// The name in a row; `None` if there is none. `cell` gives the text of a column.
    pub(super) fn of<'r>(&self, cell: impl Fn(&str) -> &'r str) -> Option<String> {
        let mut parts =
            self.columns.iter().filter_map(|column| self.part.of(cell(column))).filter(|part| !part.is_empty());
        match self.pick {
            Pick::First => parts.next(),
            Pick::All => Some(parts.collect::<Vec<_>>().join("/")).filter(|name| !name.is_empty()),
        }
    }
}

impl Part {
    fn of(self, text: &str) -> Option<String> {
        match self {
            Self::Whole => Some(text.to_owned()),
            Self::Letters => Some(text.chars().take_while(|c| c.is_alphabetic()).collect()),
            Self::Host => {
                let url = url::Url::parse(text).ok()?;
                let host = url.host_str()?;
                Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
            }
            Self::Path => url::Url::parse(text).ok().map(|url| url.path().to_owned()),
        }
    }
}

/// What an event of the recorder is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    #[serde(rename = "is")]
    pub(super) meaning: Meaning,
    /// The column that holds the value of the field, as it then is.
    pub(super) value: Option<String>,
}

/// The meanings that events can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Meaning {
    /// A field is seen with its value.
    View,
    /// A field is gone to.
    Focus,
    /// Something is pasted into a field.
    Paste,
    /// A field has a new value.
    Edit,
    /// A button or link is used.
    Action,
    /// Another screen is gone to.
    Navigation,
    /// Nothing that matters.
    Ignored,
}

/// Controls in which one chooses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choices {
    pub(super) column: String,
    pub(super) one_of: Vec<String>,
    pub(super) value: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) ends_with: CaseEnd,
}

/// The event that ends a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseEnd {
    pub(super) event: String,
    pub(super) column: String,
    pub(super) equals: String,
}

/// How the kind of a value is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    recognised: Vec<Form>,
    otherwise: Otherwise,
}

/// Kinds that a value shows by its form.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Date,
    Email,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Otherwise {
    Text,
    Name,
}

impl Values {
    /// The kind of a value.
    pub(super) fn kind(&self, value: &str) -> ValueKind {
        for form in &self.recognised {
            match form {
                // Only a date keeps its hyphens; what is none is normalised as text, which has none.
                Form::Date if normalise::normalise(value, ValueKind::Date).contains('-') => return ValueKind::Date,
                Form::Email if is_email(value) => return ValueKind::Email,
                Form::Date | Form::Email => {}
            }
        }
        match self.otherwise {
            Otherwise::Text => ValueKind::Text,
            Otherwise::Name => ValueKind::Name,
        }
    }
}

fn is_email(value: &str) -> bool {
    let value = value.trim();
    let sides = value.split_once('@');
    sides.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
        && !value.contains(char::is_whitespace)
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// If it cannot be read, or is not of this form; the message has the line.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| Error::new(ErrorKind::Unavailable, format!("cannot read {file}")).caused_by(error))?;
        Self::parse(&text, file)
    }

    pub(super) fn parse(text: &str, file: String) -> Result<Self, Error> {
        let mapping: Self = toml::from_str(text)
            .map_err(|error| Error::new(ErrorKind::Invalid, format!("{file}: {}", error.to_string().trim_end())))?;
        if mapping.events.contains_key(&mapping.case.ends_with.event) {
            return Ok(Self { file, ..mapping });
        }
        let event = &mapping.case.ends_with.event;
        Err(Error::new(ErrorKind::Invalid, format!("{file}: the case ends with {event:?}, which is not in [events]")))
    }

    /// Every column that the mapping names, and where.
    pub(super) fn named_columns(&self) -> Vec<(String, &str)> {
        let Columns { time, worker, application, event } = &self.columns;
        let mut named: Vec<(String, &str)> =
            [("time", time), ("worker", worker), ("application", application), ("event", event)]
                .into_iter()
                .map(|(key, column)| (format!("columns.{key}"), column.as_str()))
                .collect();
        for (name, application) in &self.applications {
            let Application::Read(places) = application else { continue };
            for (key, place) in [("system", &places.system), ("screen", &places.screen), ("field", &places.field)] {
                named
                    .extend(place.columns.iter().map(|column| (format!("applications.{name}.{key}"), column.as_str())));
            }
        }
        for (name, event) in &self.events {
            named.extend(event.value.iter().map(|column| (format!("events.{name}.value"), column.as_str())));
        }
        if let Some(choices) = &self.choices {
            named.push(("choices.column".to_owned(), &choices.column));
            named.push(("choices.value".to_owned(), &choices.value));
        }
        named.push(("case.ends_with.column".to_owned(), &self.case.ends_with.column));
        named
    }
}
