//! What is wrong with a file of reference data, by line and column.
//!
//! A fault says what is expected, never what the file says there: a cell may name a person. Only names of columns are
//! repeated.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Faults of one file that are told one by one; the rest is only counted.
const TOLD_MAX: usize = 20;

/// Something that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; none where it is the file as a whole.
    pub line: Option<u64>,
    /// The column by its name, or by its position from 1 where names are not known yet; a key of a TOML file.
    pub column: Option<String>,
    /// What is expected there.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}")?;
            if let Some(column) = &self.column {
                write!(formatter, ", column {column}")?;
            }
            write!(formatter, ": ")?;
        }
        formatter.write_str(&self.what)
    }
}

/// The faults of a file: the first of them, and how many there are.
#[derive(Debug, Clone)]
pub struct Faults {
    path: PathBuf,
    told: Vec<Fault>,
    count: usize,
}

impl Faults {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), told: Vec::new(), count: 0 }
    }

    /// The file as a whole is wrong.
    pub(super) fn whole(&mut self, what: impl Into<String>) {
        self.add(Fault { line: None, column: None, what: what.into() });
    }

    pub(super) fn line(&mut self, line: u64, what: impl Into<String>) {
        self.add(Fault { line: Some(line), column: None, what: what.into() });
    }

    pub(super) fn cell(&mut self, line: u64, column: impl Into<String>, what: impl Into<String>) {
        self.add(Fault { line: Some(line), column: Some(column.into()), what: what.into() });
    }

    fn add(&mut self, fault: Fault) {
        self.count += 1;
        if self.told.len() < TOLD_MAX {
            self.told.push(fault);
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first faults, as found: those of cells by line, then those that are between lines.
    #[must_use]
    pub fn told(&self) -> &[Fault] {
        &self.told
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }
}

/// A line for each fault that is told, and one that counts the rest.
impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        for (position, fault) in self.told.iter().enumerate() {
            let space = if position == 0 { "" } else { "\n" };
            write!(formatter, "{space}{path}: {fault}")?;
        }
        match self.count - self.told.len() {
            0 => Ok(()),
            more => write!(formatter, "\n{path}: and {more} more"),
        }
    }
}

/// Counts lines as editors do, along a text that is gone through from its start.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of the byte at `offset`, which must not lie before the last one asked for.
    pub(super) fn at(&mut self, offset: usize) -> u64 {
        let end = offset.min(self.bytes.len());
        while self.at < end {
            let ends = match self.bytes[self.at] {
                b'\n' => true,
                b'\r' => self.bytes.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_editors_do() {
        for (text, offset, line) in
            [("", 0, 1), ("a\nb", 2, 2), ("a\r\nb", 3, 2), ("a\rb", 2, 2), ("\n\r\n\nx", 4, 4), ("a\n", 99, 2)]
        {
            assert_eq!(Lines::of(text.as_bytes()).at(offset), line, "{text:?} at {offset}");
        }
    }

    #[test]
    fn so_many_faults_are_told_and_the_rest_counted() {
        let mut faults = Faults::of(Path::new("a.csv"));
        for line in 2..27 {
            faults.cell(line, "headcount", "is empty");
        }
        let said = faults.to_string();
        assert_eq!((faults.count(), faults.told().len(), said.lines().count()), (25, 20, 21));
        assert!(said.starts_with("a.csv: line 2, column headcount: is empty\n"), "{said}");
        assert!(said.ends_with("\na.csv: and 5 more"), "{said}");
    }
}
