//! The task catalogue, `tasks.toml` → its rules, with everything that is wrong with it.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    ops::Range,
};

use gilbreth_collector::{Kind, gate::name_as_stored};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    faults::{Faults, Lines},
    rows::{Cell, Row},
    tables::TASKS,
};

/// A table of the file, and where it is.
struct At<'a> {
    table: &'a DeTable<'a>,
    line: u64,
    /// The keys that lead to it within its entry, each with a full stop.
    path: &'static str,
}

/// The file, as it is gone through.
struct File<'a> {
    text: &'a str,
    faults: &'a mut Faults,
    rows: Vec<Row>,
}

/// Reads a file. What is wrong is among the faults.
pub(super) fn read(bytes: &[u8], faults: &mut Faults) -> Vec<Row> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            faults.line(Lines::of(bytes).at(error.valid_up_to()), "must be UTF-8");
            return Vec::new();
        }
    };
    if text.trim().is_empty() {
        faults.whole("is empty: there must be [[tasks]] or [[completes]]");
        return Vec::new();
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut file = File { text, faults, rows: Vec::new() };
    for error in &errors {
        let line = file.line(&error.span().unwrap_or_default());
        file.faults.line(line, format!("is no TOML: {}", error.message()));
    }
    if errors.is_empty() {
        file.root(root.get_ref());
    }
    file.rows
}

impl File<'_> {
    fn line(&self, span: &Range<usize>) -> u64 {
        Lines::of(self.text.as_bytes()).at(span.start)
    }

    fn root(&mut self, root: &DeTable<'_>) {
        for (key, value) in root {
            match key.get_ref().as_ref() {
                "tasks" => self.entries("tasks", value, Self::task),
                "completes" => self.entries("completes", value, Self::completes),
                other => {
                    let line = self.line(&key.span());
                    let key = other.escape_debug().to_string();
                    self.faults.cell(line, key, "there is no such key: there are tasks and completes");
                }
            }
        }
        self.repeated();
    }

    fn entries(&mut self, name: &str, value: &Spanned<DeValue<'_>>, read: fn(&mut Self, &At<'_>)) {
        let line = self.line(&value.span());
        let DeValue::Array(entries) = value.get_ref() else {
            self.faults.cell(line, name, format!("must be written as [[{name}]]"));
            return;
        };
        for entry in entries {
            let line = self.line(&entry.span());
            match entry.get_ref() {
                DeValue::Table(table) => read(self, &At { table, line, path: "" }),
                _ => self.faults.cell(line, name, format!("must be written as [[{name}]]")),
            }
        }
    }

    fn task(&mut self, entry: &At<'_>) {
        self.only(entry, &["name", "start", "end"]);
        let task = self.text(entry, "name", true);
        for (edge, path) in [("start", "start."), ("end", "end.")] {
            match entry.table.get(edge).map(|value| (value.span(), value.get_ref())) {
                Some((span, DeValue::Table(table))) => {
                    let line = self.line(&span);
                    let place = self.place(&At { table, line, path });
                    self.rule(task.clone().map(Some), edge, line, place);
                }
                Some((span, _)) => {
                    let line = self.line(&span);
                    self.faults.cell(line, edge, "must be a table of kind, system, screen and perhaps field");
                }
                None => self.faults.cell(entry.line, edge, "must be there"),
            }
        }
    }

    fn completes(&mut self, entry: &At<'_>) {
        let place = self.place(entry);
        self.rule(Some(None), "completes", entry.line, place);
    }

    /// Adds a rule of which every part is good.
    fn rule(&mut self, task: Option<Option<Cell>>, edge: &str, line: u64, place: Option<[Option<Cell>; 4]>) {
        if let (Some(task), Some(place)) = (task, place) {
            let cells = [task, Some(Cell::Text(edge.to_owned()))].into_iter().chain(place).collect();
            self.rows.push(Row { table: &TASKS, line, cells });
        }
    }

    /// Kind, system, screen and field.
    fn place(&mut self, at: &At<'_>) -> Option<[Option<Cell>; 4]> {
        self.only(at, &["kind", "system", "screen", "field"]);
        let kind = self.text(at, "kind", false);
        let kind = kind.filter(|kind| match kind {
            Cell::Text(word) if Kind::parse(word).is_none() => {
                let line = self.line_of(at, "kind");
                let known = Kind::ALL.map(Kind::as_str).join(", ");
                self.faults.cell(line, format!("{}kind", at.path), format!("must be one of {known}"));
                false
            }
            _ => true,
        });
        let system = self.text(at, "system", false);
        let screen = self.text(at, "screen", true);
        let field = if at.table.contains_key("field") { self.text(at, "field", true).map(Some) } else { Some(None) };
        Some([Some(kind?), Some(system?), Some(screen?), field?])
    }

    /// A text that must be there. A `name` is as the gate stores it, so that it agrees with what systems send.
    fn text(&mut self, at: &At<'_>, key: &str, name: bool) -> Option<Cell> {
        let column = format!("{}{key}", at.path);
        let Some(value) = at.table.get(key) else {
            self.faults.cell(at.line, column, "must be there");
            return None;
        };
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() && !text.contains(char::is_control) => {
                let text = text.trim();
                Some(Cell::Text(if name { name_as_stored(text) } else { text.to_owned() }))
            }
            _ => {
                let line = self.line(&value.span());
                self.faults.cell(line, column, "must be one line of text");
                None
            }
        }
    }

    fn line_of(&self, at: &At<'_>, key: &str) -> u64 {
        at.table.get(key).map_or(at.line, |value| self.line(&value.span()))
    }

    fn only(&mut self, at: &At<'_>, known: &[&str]) {
        for (key, _) in at.table {
            if !known.contains(&key.get_ref().as_ref()) {
                let line = self.line(&key.span());
                let column = format!("{}{}", at.path, key.get_ref().escape_debug());
                self.faults.cell(line, column, format!("there is no such key: there are {}", known.join(", ")));
            }
        }
    }

    /// Two tasks cannot start at one place. A task that is written twice, to start at two places, may end at one: its
    /// end is kept once.
    fn repeated(&mut self) {
        let mut starts: HashMap<Vec<String>, u64> = HashMap::new();
        let mut others = HashSet::new();
        let mut twice = Vec::new();
        self.rows.retain(|row| {
            if row.text("edge") != Some("start") {
                return others.insert(row.key(&["task", "edge", "kind", "system", "screen", "field"]));
            }
            match starts.entry(row.key(&["kind", "system", "screen", "field"])) {
                Entry::Vacant(free) => {
                    free.insert(row.line);
                }
                Entry::Occupied(taken) => twice.push((row.line, *taken.get())),
            }
            true
        });
        for (line, before) in twice {
            self.faults.cell(line, "start", format!("is as on line {before}: a place starts one task"));
        }
    }
}
