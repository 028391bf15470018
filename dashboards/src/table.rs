//! A table, once: pages show it with rounded numbers, and CSV files hold the same rows in full precision.

use maud::{Markup, html};

use crate::number;

/// Tables of no more columns fit on a telephone and need not scroll.
const NARROW_MAX: usize = 3;

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Its name in the view, and in CSV.
    pub(crate) name: String,
    /// Its heading.
    pub(crate) title: String,
    /// Whether it holds numbers (right aligned).
    pub(crate) numeric: bool,
}

/// A cell.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// A count.
    Count(i64),
    /// A measured number; none where it is not available.
    Number(Option<f64>),
    /// A share from 0 to 1.
    Share(f64),
    /// A measured number, with the ends of its interval where it has one.
    Estimate(f64, Option<(f64, f64)>),
    /// A place in an order, with the best and worst that the data allow where they are known.
    Place(i64, Option<(i64, i64)>),
}

/// A table with a caption.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// What it holds.
    pub(crate) caption: String,
    /// The columns.
    pub(crate) columns: Vec<Column>,
    /// The rows; the first cell of each is its heading.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A column of words.
pub(crate) fn words(name: &str, title: &str) -> Column {
    Column { name: name.to_owned(), title: title.to_owned(), numeric: false }
}

/// A column of numbers.
pub(crate) fn numbers(name: &str, title: &str) -> Column {
    Column { name: name.to_owned(), title: title.to_owned(), numeric: true }
}

/// Words for a cell.
pub(crate) fn text(words: impl Into<String>) -> Cell {
    Cell::Text(words.into())
}

impl Table {
    /// As HTML, in a box of its own that scrolls sideways where the page is narrow and can be reached by keyboard.
    pub(crate) fn html(&self) -> Markup {
        let decimals = self.decimals();
        html! {
            @let narrow = self.columns.len() <= NARROW_MAX;
            div.scroll role=[(!narrow).then_some("region")] tabindex=[(!narrow).then_some("0")]
                aria-label=[(!narrow).then(|| format!("Table: {}", self.caption))] {
                table {
                    caption { (self.caption) }
                    thead { tr { @for column in &self.columns {
                        th scope="col" class=[column.numeric.then_some("number")] { (column.title) }
                    } } }
                    tbody {
                        @if self.rows.is_empty() { tr { td colspan=(self.columns.len()) { "No rows." } } }
                        @for row in &self.rows { tr {
                            @for (i, cell) in row.iter().enumerate() {
                                @let class = self.columns[i].numeric.then_some("number");
                                @if i == 0 { th scope="row" class=[class] { (cell.shown(decimals[i])) } }
                                @else { td class=[class] { (cell.shown(decimals[i])) } }
                            }
                        } }
                    }
                }
            }
        }
    }

    /// As CSV (RFC 4180) with a header of column names. Text that a spreadsheet would take for a formula is preceded
    /// by an apostrophe, since names come from systems that nobody vouches for.
    pub(crate) fn csv(&self) -> String {
        let mut out = String::new();
        let mut line = |fields: Vec<String>| {
            out.push_str(&fields.join(","));
            out.push_str("\r\n");
        };
        line(self.columns.iter().map(|column| quoted(&column.name)).collect());
        for row in &self.rows {
            line(row.iter().map(Cell::csv).collect());
        }
        out
    }

    /// One number of decimals for each column, so that its points line up.
    fn decimals(&self) -> Vec<usize> {
        (0..self.columns.len())
            .map(|i| {
                let max = self.rows.iter().filter_map(|row| match row.get(i) {
                    Some(Cell::Number(Some(value)) | Cell::Estimate(value, _)) if value.is_finite() => {
                        Some(value.abs())
                    }
                    _ => None,
                });
                number::decimals(max.fold(0.0, f64::max))
            })
            .collect()
    }
}

impl Cell {
    fn shown(&self, decimals: usize) -> String {
        match self {
            Self::Text(words) => words.clone(),
            Self::Count(count) => number::count(*count),
            Self::Number(Some(value)) => number::fixed(*value, decimals),
            Self::Number(None) => number::NONE.to_owned(),
            Self::Share(share) => number::percent(*share),
            Self::Estimate(value, interval) => number::estimate(*value, *interval, decimals),
            Self::Place(place, Some((best, worst))) if best < worst => {
                format!("{} ({} to {})", number::count(*place), number::count(*best), number::count(*worst))
            }
            Self::Place(place, _) => number::count(*place),
        }
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(words) => quoted(words),
            Self::Count(count) | Self::Place(count, _) => count.to_string(),
            Self::Number(Some(value)) | Self::Share(value) | Self::Estimate(value, _) if value.is_finite() => {
                value.to_string()
            }
            Self::Number(_) | Self::Share(_) | Self::Estimate(..) => String::new(),
        }
    }
}

fn quoted(words: &str) -> String {
    let words = match words.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{words}"),
        _ => words.to_owned(),
    };
    if words.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", words.replace('"', "\"\"")) } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_show_their_interval_and_places_how_far_they_can_be_trusted() {
        let table = Table {
            caption: "c".into(),
            columns: vec![numbers("rank", "Rank"), numbers("hours", "Hours")],
            rows: vec![
                vec![Cell::Place(1, Some((1, 1))), Cell::Estimate(1.4, Some((1.309, 1.491)))],
                vec![Cell::Place(2, Some((1, 12))), Cell::Estimate(0.12, None)],
            ],
        };
        let html = table.html().into_string();
        for shown in [">1<", ">2 (1 to 12)<", ">1.40 (1.31 to 1.49)<", ">0.12<"] {
            assert!(html.contains(shown), "{shown} in {html}");
        }
        assert_eq!(table.csv(), "rank,hours\r\n1,1.4\r\n2,0.12\r\n");
    }

    #[test]
    fn csv_is_quoted_complete_and_no_formula() {
        let table = Table {
            caption: "c".into(),
            columns: vec![words("system", "System"), numbers("hours", "Hours"), numbers("people", "People")],
            rows: vec![
                vec![text("=cmd|' /C calc'!A0"), Cell::Number(Some(1.0 / 3.0)), Cell::Count(-2)],
                vec![text("a,\"b\"\nc"), Cell::Number(None), Cell::Count(1_000)],
            ],
        };
        assert_eq!(
            table.csv(),
            "system,hours,people\r\n'=cmd|' /C calc'!A0,0.3333333333333333,-2\r\n\"a,\"\"b\"\"\nc\",,1000\r\n"
        );
    }
}
