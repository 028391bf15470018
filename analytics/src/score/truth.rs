//! The truth of a simulation, as its files say it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::Error;

/// `truth.json` and `re_entries.csv`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Truth {
    pub(super) scenario: String,
    pub(super) seed: u64,
    pub(super) person_weeks: f64,
    pub(super) rule: Categories,
    pub(super) lived: Categories,
    pub(super) entry_seconds: f64,
    #[serde(skip)]
    pub(super) re_entries: Vec<TrueReEntry>,
}

/// Seconds of each category.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Categories {
    pub(super) seconds: BTreeMap<String, f64>,
}

/// A value that was keyed although it was held already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrueReEntry {
    pub(super) span: String,
    pub(super) from: [String; 3],
    /// How likely two cases are to have the same value: whether it can be told at all.
    pub(super) chance: f64,
}

const LOST: [&str; 6] = ["re_entry", "rework", "wait", "unavailable", "switching", "repeat_sign_in"];

impl Truth {
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("truth.json");
        let text = read(&path)?;
        let mut truth: Self =
            serde_json::from_str(&text).map_err(|error| file(&path, "is not a truth that can be read", error))?;
        let path = folder.join("re_entries.csv");
        truth.re_entries = re_entries(&path, &read(&path)?)?;
        Ok(truth)
    }

    /// Seconds lost by the rules.
    pub(super) fn lost_seconds(&self) -> f64 {
        LOST.iter().filter_map(|category| self.rule.seconds.get(*category)).sum()
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| file(path, "cannot be read", error))
}

fn file(path: &Path, problem: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::File { path: path.display().to_string(), problem, source: source.into() }
}

fn re_entries(path: &Path, text: &str) -> Result<Vec<TrueReEntry>, Error> {
    let mut rows = csv(text).into_iter();
    let header = rows.next().unwrap_or_default();
    let at = |name: &str| {
        header
            .iter()
            .position(|found| found == name)
            .ok_or_else(|| file(path, "lacks a column", format!("no column {name}")))
    };
    let columns = [at("span_id")?, at("from_system")?, at("from_screen")?, at("from_field")?, at("chance")?];
    rows.enumerate()
        .map(|(line, row)| {
            let [span, system, screen, field, chance] = columns.map(|column| row.get(column).cloned());
            let (Some(span), Some(system), Some(screen), Some(field), Some(chance)) =
                (span, system, screen, field, chance)
            else {
                return Err(file(path, "has a line that is too short", format!("line {}", line + 2)));
            };
            let chance = chance
                .parse()
                .map_err(|_| file(path, "has a chance that is no number", format!("line {}", line + 2)))?;
            Ok(TrueReEntry { span, from: [system, screen, field], chance })
        })
        .collect()
}

/// Fields of each line; a field in double quotes may hold commas, line ends and doubled quotes.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            letter => field.push(letter),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_hold_commas_and_quotes() {
        assert_eq!(csv("a,b\r\n\"x,\"\"y\",2"), [["a", "b"], ["x,\"y", "2"]]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Truth::read(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("truth.json cannot be read"), "{error}");
        let path = Path::new("re_entries.csv");
        assert!(re_entries(path, "span_id,chance\n").unwrap_err().to_string().contains("lacks a column"));
        let header = "span_id,from_system,from_screen,from_field,chance\n";
        assert!(re_entries(path, &format!("{header}ab,cd\n")).is_err());
        assert!(re_entries(path, &format!("{header}ab,s,c,f,often\n")).is_err());
        assert_eq!(re_entries(path, &format!("{header}ab,s,c,f,0.25\n")).unwrap()[0].chance, 0.25);
    }
}
