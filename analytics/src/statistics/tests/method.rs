//! The worked example of docs/method.md: its table is read from there, and each of its numbers is worked out here.

use super::rows::{Answer, Rows};
use crate::parameters::Parameters;

/// The cells of the rows of a table that starts with these headings.
fn table(document: &str, headings: &str) -> Vec<Vec<String>> {
    let lines = document.lines().skip_while(|line| *line != headings).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// Text that lives as long as the test.
fn kept(text: &str) -> &'static str {
    text.to_owned().leak()
}

#[test]
fn the_worked_example_of_the_method_is_right() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/method.md");
    let document = std::fs::read_to_string(path).unwrap();
    let people: Vec<(&str, f64, i64)> = table(&document, "| organisation | hours lost | person-weeks |")
        .iter()
        .map(|row| (kept(&row[0]), row[1].parse().unwrap(), row[2].parse().unwrap()))
        .collect();
    assert_eq!(people.len(), 12);
    let mut rows = Rows::lost(&people);
    rows.staffing = table(&document, "| organisation | headcount | hourly cost |")
        .iter()
        .map(|row| (kept(&row[0]), "officer", row[1].parse().unwrap(), Some(row[2].parse().unwrap())))
        .collect();
    let answers = rows.answer(&Parameters::default());
    let said = |name: &str, digits: usize, unit: &str| {
        let Answer { value, interval, .. } = answers.iter().find(|answer| answer.name == name).unwrap();
        let (low, high) = interval.unwrap();
        let sentence = format!("**{value:.digits$} {unit}**, 95 % interval {low:.digits$} to {high:.digits$}");
        assert!(document.contains(&sentence), "docs/method.md does not say: {sentence}");
    };
    said("lost_hours_per_person_week", 3, "hours per person-week");
    said("lost_hours_per_person_week_estimated", 3, "hours per person-week");
    said("lost_hours_per_year_estimated", 0, "hours a year");
    said("cost_of_lost_hours_per_year", 0, "pounds a year");
}
