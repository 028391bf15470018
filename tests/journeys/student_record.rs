//! Real input: the published recording of a person who copies 50 student records from a spreadsheet into a web form.

use std::collections::BTreeMap;

#[test]
fn keying_from_the_spreadsheet_is_found_in_a_real_recording() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let path = store.to_string_lossy().into_owned();
    let program = crate::program();
    let root = env!("CARGO_MANIFEST_DIR");
    program.succeed([
        "import",
        "--store",
        &path,
        "--mapping",
        &format!("{root}/sample-data/mappings/student-record.toml"),
        &format!("{root}/sample-data/recordings/StudentRecord.csv"),
    ]);
    program.succeed(["refresh", "--store", &path]);
    let csv = |sql: &str| program.succeed(["sql", "--store", &path, "--format", "csv", sql]);

    let found = csv("SELECT to_field, from_field, count(*) AS times FROM re_entries \
                     WHERE verdict = 'established' AND scope = 'cross_system' GROUP BY 1, 2 ORDER BY 1, 3 DESC");
    let mut by_field: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    for line in found.lines().skip(1) {
        let mut cells = line.split(',');
        let (to, from) = (cells.next().unwrap().to_owned(), cells.next().unwrap().to_owned());
        by_field.entry(to).or_default().push((from, cells.next().unwrap().parse().unwrap()));
    }
    let established: u64 = by_field.values().flatten().map(|(_, times)| times).sum();
    assert!(established >= 390, "{established} of 450 final values: {by_field:?}");

    // Which column each field was really copied from, by the spreadsheet's own layout.
    let right: u64 = by_field
        .iter()
        .flat_map(|(to, sources)| sources.iter().map(move |source| (to, source)))
        .filter(|(to, (from, _))| columns_of(to).contains(&from.as_str()))
        .map(|(_, (_, times))| times)
        .sum();
    assert!(right * 100 >= established * 98, "{right} of {established} have the right column: {by_field:?}");

    let constants = csv("SELECT DISTINCT to_field FROM re_entry_pairs WHERE verdict = 'constant' ORDER BY 1");
    assert!(constants.lines().any(|line| line.contains(REGION)), "{constants}");

    // The report of an hour has no rates: it speaks of minutes, says that it is a recording, and names the constants.
    let out = folder.path().join("report");
    program.succeed(["report", "--store", &path, "--out", &out.to_string_lossy()]);
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(report.contains("A recording.") && !report.contains("Simulated data."));
    assert!(!report.contains("not available hours") && report.contains("4.9 minutes go into keying it again"));
    let apart = report.split("Cannot be told from a default</caption>").nth(1).unwrap();
    assert!(apart.split("</table>").next().unwrap().contains(REGION), "the constant field is listed apart");

    let spanned = csv("SELECT sum(seconds) FROM time_ledger");
    let activity =
        csv("SELECT (max(greatest(started_at, ended_at))::BIGINT - min(started_at)::BIGINT) / 1e6 FROM interactions");
    let (spanned, activity): (f64, f64) = (number(&spanned), number(&activity));
    assert!((spanned - activity).abs() < 1e-3, "the ledger has {spanned} s of the recording's {activity} s");
}

fn number(csv: &str) -> f64 {
    csv.lines().nth(1).unwrap().parse().unwrap()
}

const REGION: &str = "Region";

/// The columns of the sheet: A first name, B last name, C born, D telephone, E e-mail, F country, G address.
fn columns_of(field: &str) -> &'static [&'static str] {
    match field {
        "SingleLine" => &["A", "B"],
        "SingleLine1" => &["F"],
        "Email" => &["E"],
        _ if field.contains("Date") => &["C"],
        _ if field.contains("Phone") => &["D"],
        _ if field.starts_with("Address_") => &["G"],
        _ => &[],
    }
}
