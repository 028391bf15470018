//! What each form asks for, and what it refuses.

use gilbreth_conventions::{kind::ValueKind, normalise::normalise};

/// A form of a system.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// In addresses.
    pub(super) id: &'static str,
    /// As its page calls it.
    pub(super) title: &'static str,
    /// From top to bottom.
    pub(super) fields: &'static [Field],
}

/// A field of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// In requests.
    pub(super) id: &'static str,
    /// As its page calls it.
    pub(super) label: &'static str,
    /// What it takes.
    pub(super) takes: Takes,
    /// Whether it must be filled in.
    pub(super) is_required: bool,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A few words.
    Words,
    /// Text of any length within [`VALUE_CHARS_MAX`].
    Text,
    /// A day, in any form that the conventions can read.
    Date,
    /// A number.
    Number,
    /// A postcode.
    Postcode,
    /// A telephone number.
    Phone,
    /// One of a list.
    One(&'static [&'static str]),
    /// Yes or no.
    YesNo,
}

/// Most characters of a value.
const VALUE_CHARS_MAX: usize = 2_000;

const fn field(id: &'static str, label: &'static str, takes: Takes) -> Field {
    Field { id, label, takes, is_required: true }
}
const fn optional(id: &'static str, label: &'static str, takes: Takes) -> Field {
    Field { id, label, takes, is_required: false }
}

pub(super) const PERSONAL: Form = Form {
    id: "personal",
    title: "Personal details",
    fields: &[
        field("surname", "Surname", Takes::Words),
        field("forename", "Forename", Takes::Words),
        field("born", "Date of birth", Takes::Date),
        field("pnc", "PNC number", Takes::Words),
        field("address", "Address", Takes::Words),
        field("postcode", "Postcode", Takes::Postcode),
        field("phone", "Telephone", Takes::Phone),
        optional("interpreter", "Interpreter needed", Takes::YesNo),
    ],
};
pub(super) const EVENT: Form = Form {
    id: "event",
    title: "Event",
    fields: &[
        field("sentenced", "Sentence date", Takes::Date),
        field("court", "Court reference", Takes::Words),
        field("order", "Order type", Takes::One(&["Community order", "Suspended sentence order", "Youth order"])),
        optional("months", "Order length in months", Takes::Number),
    ],
};
pub(super) const CONTACT: Form = Form {
    id: "contact",
    title: "Contact",
    fields: &[
        field("on", "Date of contact", Takes::Date),
        field("type", "Contact type", Takes::One(&["Office visit", "Telephone call", "Home visit", "Letter"])),
        field("office", "Office", Takes::One(&["Aldermoor", "Brackwell", "Cotterham"])),
        optional("notes", "Notes", Takes::Text),
    ],
};
pub(super) const IDENTIFICATION: Form = Form {
    id: "identification",
    title: "Case identification",
    fields: &[
        field("family", "Family name", Takes::Words),
        field("given", "Given name", Takes::Words),
        field("dob", "Date of birth", Takes::Date),
        field("pnc", "PNC", Takes::Words),
        optional("interpreter", "Interpreter needed", Takes::YesNo),
    ],
};
pub(super) const RISK: Form = Form {
    id: "risk",
    title: "Risk of serious recidivism",
    fields: &[
        field("on", "Assessment date", Takes::Date),
        field("score", "RSR score", Takes::Number),
        field("band", "Likelihood", Takes::One(&["Low", "Medium", "High", "Very high"])),
        optional("analysis", "Analysis", Takes::Text),
    ],
};
pub(super) const ALLOCATION: Form = Form {
    id: "allocate",
    title: "Allocate the case",
    fields: &[
        field("sentenced", "Date of sentence", Takes::Date),
        field("court", "Court reference", Takes::Words),
        field("score", "Risk score", Takes::Number),
        field("tier", "Tier", Takes::One(&["A", "B", "C", "D"])),
        field("reference", "Allocation reference", Takes::Words),
    ],
};
pub(super) const WORKLOAD: Form = Form {
    id: "workload",
    title: "Workload",
    fields: &[field("points", "Workload points", Takes::Number), optional("remarks", "Remarks", Takes::Text)],
};
pub(super) const REFERRAL: Form = Form {
    id: "referral",
    title: "Referral",
    fields: &[
        field("reference", "Allocation ref", Takes::Words),
        field("street", "Street", Takes::Words),
        field("town", "Town", Takes::Words),
        field("postcode", "Postcode", Takes::Postcode),
        field("telephone", "Contact telephone", Takes::Phone),
    ],
};
pub(super) const APPOINTMENT: Form = Form {
    id: "appointment",
    title: "Appointment",
    fields: &[
        field("on", "Appointment date", Takes::Date),
        field("place", "Place", Takes::One(&["Office", "Home", "Workshop"])),
        optional("remarks", "Remarks", Takes::Text),
    ],
};

/// Why a field does not take a value, if so.
pub(super) fn refusal(field: &Field, value: &str) -> Option<String> {
    if value.trim().is_empty() {
        return field.is_required.then(|| format!("{} is required", field.label));
    }
    if value.chars().count() > VALUE_CHARS_MAX {
        return Some(format!("{} has more than {VALUE_CHARS_MAX} characters", field.label));
    }
    let digits = |least: usize| value.chars().filter(char::is_ascii_digit).count() >= least;
    let (is_taken, what) = match field.takes {
        Takes::Words | Takes::Text => (true, ""),
        Takes::Date => (is_day(&normalise(value, ValueKind::Date)), "must be a day, as in 7/3/1984"),
        Takes::Number => (normalise(value, ValueKind::Number).parse::<f64>().is_ok(), "must be a number"),
        Takes::Postcode => (
            (4..=8).contains(&normalise(value, ValueKind::Postcode).len()) && digits(1),
            "must be a postcode, as in QA4 9ZZ",
        ),
        Takes::Phone => (digits(9), "must have an area code and a number"),
        Takes::One(list) => (list.contains(&value), "must be one of the list"),
        Takes::YesNo => (["Yes", "No"].contains(&value), "must be Yes or No"),
    };
    (!is_taken).then(|| format!("{} {what}", field.label))
}

/// Whether it is what the conventions make of a day: `YYYY-MM-DD`.
fn is_day(text: &str) -> bool {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}
