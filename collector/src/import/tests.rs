use std::{collections::BTreeSet, fs, io::Write, path::PathBuf};

use gilbreth_conventions::{kind::ValueKind, normalise};

use super::*;
use crate::decode::{Span, Value};

fn sample(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../sample-data").join(path)
}

fn student_mapping() -> Mapping {
    Mapping::load(&sample("mappings/student-record.toml")).unwrap()
}

/// A span with its attributes at hand.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    system: String,
    id: Vec<u8>,
    start: u64,
    end: u64,
    attributes: BTreeMap<String, String>,
}

impl Seen {
    fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    fn field(&self) -> &str {
        self.get("app.widget.name")
    }

    fn kind(&self) -> &str {
        self.get("casework.interaction")
    }

    fn value(&self) -> Option<&str> {
        self.attributes.get("casework.value.text").map(String::as_str)
    }

    /// Digests as the conventions have them, undigested: the whole, and the parts.
    fn digests(&self) -> (String, BTreeSet<String>) {
        let kind = ValueKind::parse(self.get("casework.value.kind")).unwrap();
        let value = self.value().unwrap();
        (normalise::normalise(value, kind), normalise::parts(value, kind).into_iter().collect())
    }

    /// Every part, or the whole where there are none.
    fn needed(&self) -> BTreeSet<String> {
        let (whole, parts) = self.digests();
        if parts.is_empty() { [whole].into() } else { parts }
    }

    fn offered(&self) -> BTreeSet<String> {
        let (whole, mut parts) = self.digests();
        parts.insert(whole);
        parts
    }
}

fn seen(imported: &Imported) -> Vec<Seen> {
    let mut seen: Vec<Seen> = imported
        .batches
        .iter()
        .flat_map(|batch| {
            let Value::Text(system) = &batch.resource[0].value else { panic!("a system is text") };
            batch.spans.iter().map(|span| see(system, span))
        })
        .collect();
    seen.sort_by_key(|span| span.start);
    seen
}

fn see(system: &str, span: &Span) -> Seen {
    let attributes = span
        .attributes
        .iter()
        .map(|attribute| match &attribute.value {
            Value::Text(text) => (attribute.name.clone(), text.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    Seen {
        system: system.to_owned(),
        id: span.span_id.clone(),
        start: span.started_at_ns,
        end: span.ended_at_ns,
        attributes,
    }
}

fn import_text(log: &str) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    fs::write(&path, log).unwrap();
    read(&path, &student_mapping()).unwrap()
}

const HEADER: &str = "timeStamp,userID,targetApp,eventType,url,target.workbookName,target.sheetName,target.id,target.tagName,target.type,target.name,target.value,target.checked";

fn log(rows: &[&str]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| format!("2020-01-01T00:00:{row}")).collect();
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

#[test]
fn the_published_recording_is_450_final_values_in_50_cases() {
    let imported = read(&sample("recordings/StudentRecord.csv"), &student_mapping()).unwrap();
    assert_eq!((imported.summary.rows, imported.summary.cases, imported.summary.bad_rows), (2409, 50, 0));
    assert!(imported.summary.unknown.is_empty(), "{:?}", imported.summary.unknown);
    let spans = seen(&imported);
    let finals: BTreeSet<(&str, &str)> = spans
        .iter()
        .filter(|span| span.kind() == "entry" && span.value().is_some())
        .map(|span| (span.get("casework.case.id"), span.field()))
        .collect();
    assert_eq!(finals.len(), 450);
    let fields: BTreeSet<&str> = finals.iter().map(|(_, field)| *field).collect();
    assert_eq!(fields.len(), 9);
    assert_eq!(spans.iter().filter(|span| span.kind() == "choice").count(), 40);
    assert_eq!(spans.iter().filter(|span| span.kind() == "action").count(), 99);
    let systems: BTreeSet<&str> = spans.iter().map(|span| span.system.as_str()).collect();
    assert_eq!(systems, ["Excel", "forms.zoho.com"].into());
    let ids: BTreeSet<&[u8]> = spans.iter().map(|span| span.id.as_slice()).collect();
    assert_eq!(ids.len(), spans.len());
}

/// The agreement of the measurement, worked out on clear values: what each final value agrees with among the cells seen
/// on the same case before its entry (the last of its chain) began.
#[test]
fn every_final_value_of_the_recording_agrees_with_the_right_column() {
    let spans = seen(&read(&sample("recordings/StudentRecord.csv"), &student_mapping()).unwrap());
    let mut found: BTreeMap<(&str, &str, BTreeSet<&str>), usize> = BTreeMap::new();
    for target in spans.iter().filter(|span| span.kind() == "entry" && span.value().is_some()) {
        let sources: Vec<&Seen> = spans
            .iter()
            .filter(|span| span.system == "Excel" && span.value().is_some() && span.start <= target.start)
            .filter(|span| span.get("casework.case.id") == target.get("casework.case.id"))
            .collect();
        let columns = |agrees: &dyn Fn(&Seen) -> bool| -> BTreeSet<&str> {
            sources.iter().filter(|source| agrees(source)).map(|source| source.field()).collect()
        };
        let whole = columns(&|source| source.digests().0 == target.digests().0);
        let is_date = target.get("casework.value.kind") == "date";
        let split = columns(&|source| !is_date && target.needed().is_subset(&source.offered()));
        let all: BTreeSet<String> = sources.iter().flat_map(|source| source.offered()).collect();
        let joined = columns(&|source| !source.offered().is_disjoint(&target.needed()));
        let (how, columns) = if !whole.is_empty() {
            ("whole", whole)
        } else if !split.is_empty() {
            ("split", split)
        } else if target.needed().is_subset(&all) {
            ("join", joined)
        } else {
            ("none", BTreeSet::new())
        };
        *found.entry((target.field(), how, columns)).or_default() += 1;
    }
    let count = |field: &str, how: &str, columns: &[&'static str]| {
        let columns: BTreeSet<&str> = columns.iter().copied().collect();
        found
            .iter()
            .filter(|((f, h, c), _)| *f == field && *h == how && c.is_superset(&columns))
            .map(|(_, n)| n)
            .sum::<usize>()
    };
    assert_eq!(count("SingleLine", "join", &["A", "B"]), 50, "{found:?}");
    assert_eq!(count("Date-date", "whole", &["C"]), 50, "{found:?}");
    assert_eq!(count("PhoneNumber", "split", &["D"]), 50, "{found:?}");
    assert_eq!(count("Email", "whole", &["E"]), 50, "{found:?}");
    assert_eq!(count("SingleLine1", "whole", &["F"]), 50, "{found:?}");
    for field in ["Address_AddressLine1", "Address_City", "Address_ZipCode"] {
        assert_eq!(count(field, "split", &["G"]), 50, "{found:?}");
    }
    assert!(count("Address_Region", "split", &["G"]) >= 50, "{found:?}");
}

#[test]
fn an_entry_runs_from_focus_to_last_edit_and_goes_on_after_another_system() {
    let imported = import_text(&log(&[
        "03Z,ann,Chrome,editField,https://a.example/f,,,,INPUT,text,name,John,",
        "01Z,ann,Chrome,clickTextField,https://a.example/f,,,,INPUT,text,name,,",
        "04Z,ann,Excel,getCell,,w.xlsx,Sheet1,B2,,,,Doe,",
        "05Z,ann,Chrome,clickTextField,https://a.example/f?q=1,,,,INPUT,text,name,John,",
        "06Z,ann,Chrome,paste,https://a.example/f,,,,INPUT,text,name,John,",
        "07Z,ann,Chrome,editField,https://a.example/f,,,,INPUT,text,name,John Doe,",
        "08Z,ann,Chrome,clickTextField,https://a.example/f,,,d,INPUT,text,date,11/03/1986,",
        "09Z,,OS-Clipboard,copy,,,,,,,,,",
        "10Z,ann,Chrome,clickButton,https://a.example/f,,,,BUTTON,submit,,submit,",
        "11Z,ann,Excel,getCell,,w.xlsx,Sheet1,AB13,,,,x@y.org,",
    ]));
    let spans = seen(&imported);
    let told: Vec<(String, String, u64, u64, Option<&str>)> = spans
        .iter()
        .map(|span| {
            (
                span.kind().to_owned(),
                span.field().to_owned(),
                span.start / 1_000_000_000 % 60,
                span.end / 1_000_000_000 % 60,
                span.value(),
            )
        })
        .collect();
    let row = |kind: &str, field: &str, start, end, value| (kind.to_owned(), field.to_owned(), start, end, value);
    assert_eq!(
        told,
        [
            row("entry", "name", 1, 3, None),
            row("view", "B", 4, 4, Some("Doe")),
            row("entry", "name", 5, 7, Some("John Doe")),
            row("view", "d", 8, 8, Some("11/03/1986")),
            row("action", "submit", 10, 10, None),
            row("view", "AB", 11, 11, Some("x@y.org")),
        ]
    );
    let hex: String = spans[0].id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((spans[2].get("casework.continues"), spans[0].get("casework.continues")), (hex.as_str(), ""));
    assert_eq!((spans[0].get("casework.input.origin"), spans[2].get("casework.input.origin")), ("typed", "pasted"));
    assert_eq!((spans[2].get("app.screen.name"), spans[1].get("app.screen.name")), ("/f", "w.xlsx/Sheet1"));
    assert_eq!((spans[3].get("casework.value.kind"), spans[5].get("casework.value.kind")), ("date", "email"));
    let cases: Vec<&str> = spans.iter().map(|span| span.get("casework.case.id")).collect();
    assert!(cases[..5].iter().all(|case| *case == cases[0]) && cases[5] != cases[0]);
    assert_eq!((imported.summary.cases, imported.summary.left_out["OS-Clipboard copy"]), (2, 1));
}

#[test]
fn bad_rows_are_named_by_line_and_the_rest_is_read() {
    let text = log(&[
        "01Z,ann,Excel,getCell,,w,s,A1,,,,x,",
        "99Z,ann,Excel,getCell,,w,s,A1,,,,x,",
        "02Z,ann",
        "03Z,ann,Chrome,clickLink,not a url,,,,A,,,,",
        "04Z,ann,Excel,juggle,,w,s,A1,,,,x,",
        "05Z,ann,Excel,getCell,,w,s,A2,,,,y,",
    ]);
    let imported = import_text(&format!("{text}{HEADER}\n"));
    let lines: Vec<u64> = imported.summary.bad.iter().map(|bad| bad.line).collect();
    assert_eq!(
        (lines, imported.summary.bad_rows, imported.summary.rows, imported.summary.spans),
        (vec![3, 4, 5], 3, 6, 2)
    );
    assert_eq!(imported.summary.unknown["Excel juggle"], 1);
}

#[test]
fn a_missing_column_and_a_wrong_mapping_are_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    fs::write(&path, HEADER.replace("target.value", "value")).unwrap();
    let error = read(&path, &student_mapping()).unwrap_err().to_string();
    assert!(
        error.contains("log.csv: no column \"target.value\", which")
            && error.contains("student-record.toml names as events."),
        "{error}"
    );
    let text = fs::read_to_string(sample("mappings/student-record.toml")).unwrap();
    for (from, to, expected) in [
        ("[columns]", "[columns]\ncolour = 1", "colour"),
        ("is = \"view\"", "is = \"vue\"", "vue"),
        ("event = \"clickButton\"", "event = \"clickButtons\"", "clickButtons"),
    ] {
        let error = Mapping::parse(&text.replace(from, to), "m.toml".to_owned()).unwrap_err().to_string();
        assert!(error.starts_with("m.toml: ") && error.contains(expected), "{error}");
    }
    assert!(read(&folder.path().join("none.csv"), &student_mapping()).unwrap_err().to_string().contains("none.csv"));
}

#[test]
fn a_log_imported_twice_or_packed_has_the_same_ids() {
    let path = sample("recordings/StudentRecord.csv");
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("log.csv.gz");
    let mut writer = flate2::write::GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    writer.write_all(&fs::read(&path).unwrap()).unwrap();
    writer.finish().unwrap();
    let mapping = student_mapping();
    assert_eq!(read(&path, &mapping).unwrap().batches, read(&packed, &mapping).unwrap().batches);
}
