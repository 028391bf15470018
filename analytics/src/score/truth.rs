//! The truth of a simulation, as its files say it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::Error;

/// `truth.json`, and the files of rows beside it.
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
    /// Seconds by system and category.
    #[serde(skip)]
    pub(super) systems: BTreeMap<(String, String), f64>,
    /// How often each task was done whose sender tells one time from another.
    #[serde(skip)]
    pub(super) tasks: BTreeMap<String, Done>,
    #[serde(skip)]
    pub(super) effects: Vec<Planted>,
}

/// A change of a known size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planted {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) system: String,
    pub(super) size: f64,
}

/// Seconds of each category.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Categories {
    pub(super) seconds: BTreeMap<String, f64>,
}

/// A task, as far as its sender says when it is done.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Done {
    /// How often.
    pub(super) instances: f64,
    /// Active minutes each time.
    pub(super) minutes: f64,
    /// Systems each time.
    pub(super) systems: f64,
    /// Screens each time.
    pub(super) screens: f64,
    /// Changes of system each time.
    pub(super) switches: f64,
}

/// A value that was keyed although it was held already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrueReEntry {
    pub(super) span: String,
    pub(super) from: [String; 3],
    pub(super) to: [String; 3],
    /// Seconds that it took.
    pub(super) seconds: f64,
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
        let path = folder.join("systems.csv");
        for ([system, category], [seconds]) in rows(&path, &read(&path)?, ["system", "category"], ["seconds"])? {
            truth.systems.insert((system, category), seconds);
        }
        let path = folder.join("tasks.csv");
        let sums = ["instances", "seconds", "systems", "screens", "switches"];
        for ([task], [instances, seconds, systems, screens, switches]) in rows(&path, &read(&path)?, ["task"], sums)? {
            let done = Done {
                instances,
                minutes: seconds / 60.0 / instances,
                systems: systems / instances,
                screens: screens / instances,
                switches: switches / instances,
            };
            truth.tasks.insert(task, done);
        }
        let path = folder.join("effects.csv");
        let effects = rows(&path, &read(&path)?, ["kind", "name", "system"], ["size"])?;
        truth.effects =
            effects.into_iter().map(|([kind, name, system], [size])| Planted { kind, name, system, size }).collect();
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
    let names = ["span_id", "from_system", "from_screen", "from_field", "to_system", "to_screen", "to_field"];
    let rows = rows(path, text, names, ["seconds", "chance"])?;
    let made = rows.into_iter().map(|([span, a, b, c, d, e, f], [seconds, chance])| TrueReEntry {
        span,
        from: [a, b, c],
        to: [d, e, f],
        seconds,
        chance,
    });
    Ok(made.collect())
}

/// Names and numbers of a line.
type Line<const N: usize, const M: usize> = ([String; N], [f64; M]);

/// Some columns of a CSV with a header, wherever they stand: names, then numbers.
fn rows<const N: usize, const M: usize>(
    path: &Path,
    text: &str,
    names: [&str; N],
    numbers: [&str; M],
) -> Result<Vec<Line<N, M>>, Error> {
    let mut lines = csv(text).into_iter();
    let header = lines.next().unwrap_or_default();
    for name in names.iter().chain(&numbers) {
        if header.iter().all(|found| found != name) {
            return Err(file(path, "lacks a column", format!("no column {name}")));
        }
    }
    lines
        .enumerate()
        .map(|(line, row)| {
            if row.len() < header.len() {
                return Err(file(path, "has a line that is too short", format!("line {}", line + 2)));
            }
            let cell = |name: &str| {
                let column = header.iter().position(|found| found == name);
                column.map_or_else(String::new, |column| row[column].clone())
            };
            let mut figures = [0.0; M];
            for (figure, name) in figures.iter_mut().zip(numbers) {
                *figure = cell(name)
                    .parse()
                    .map_err(|_| file(path, "has a cell that is no number", format!("{name} of line {}", line + 2)))?;
            }
            Ok((names.map(cell), figures))
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
        let header = "span_id,from_system,from_screen,from_field,to_system,to_screen,to_field,seconds,chance\n";
        assert!(re_entries(path, &format!("{header}ab,cd\n")).is_err());
        assert!(re_entries(path, &format!("{header}ab,s,c,f,s,c,g,2,often\n")).is_err());
        let read = re_entries(path, &format!("{header}ab,s,c,f,s,c,g,2,0.25\n")).unwrap();
        assert_eq!((read[0].seconds, read[0].chance, read[0].to[2].as_str()), (2.0, 0.25, "g"));
    }
}
