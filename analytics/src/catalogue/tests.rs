use std::{collections::BTreeSet, fs, path::Path};

use super::*;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/sql"))
}

fn files_with(extension: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for below in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(&below).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|found| found == extension) {
                found.insert(file.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

fn listed() -> Vec<&'static SqlFile> {
    views().chain(ANSWERS).chain(SPECIFICATIONS).collect()
}

#[test]
fn every_file_is_listed() {
    let mut all: BTreeSet<String> = listed().iter().map(|file| file.path.to_owned()).collect();
    all.extend(crate::facts::sql::FILES.iter().map(|(file, _)| format!("facts/{file}")));
    assert_eq!(all, files_with("sql"));
}

#[test]
fn every_file_has_a_test_beside_it() {
    let tests = files_with("slt");
    for file in listed() {
        let test = file.path.replace(".sql", ".slt");
        assert!(tests.contains(&test), "{} has no {test}", file.path);
    }
    for (file, _) in crate::facts::sql::FILES {
        let test = format!("facts/{}", file.replace(".sql", ".slt"));
        assert!(tests.contains(&test), "facts/{file} has no {test}");
    }
    for table in DERIVED.iter().map(|derived| derived.table) {
        let test = format!("{}/{}.slt", table.folder, table.name);
        assert!(tests.contains(&test), "{} has no {test}", table.name);
    }
}

#[test]
fn every_head_says_grain_and_inputs_that_come_before() {
    let mut known: BTreeSet<String> = crate::tables::FACTS.iter().map(|table| table.name.to_owned()).collect();
    known.extend(crate::reference::tables::REFERENCE.iter().map(|table| table.name.to_owned()));
    known.extend(["spans", "intake", "parameters", "weeks_worked", "system_changes"].map(str::to_owned));
    for file in listed() {
        let head = file.head();
        assert!(!head.about.is_empty() && !head.grain.is_empty(), "{} says too little", file.path);
        for input in &head.inputs {
            assert!(known.contains(input), "{} reads {input}, which is not there yet", file.path);
            assert!(file.statement().contains(input.as_str()), "{} does not read {input}", file.path);
        }
        known.insert(file.name.to_owned());
        known.extend(derived_after(file).map(|derived| derived.table.name.to_owned()));
    }
}

#[test]
fn a_derived_table_comes_after_all_of_its_inputs() {
    let mut known = BTreeSet::new();
    let mut made = 0;
    for file in views() {
        known.insert(file.name);
        for derived in derived_after(file) {
            assert!(derived.inputs.iter().all(|input| known.contains(input)), "{}", derived.table.name);
            known.insert(derived.table.name);
            made += 1;
        }
    }
    assert_eq!(made, DERIVED.len());
}

#[test]
fn a_head_is_read_line_by_line() {
    let file = SqlFile {
        name: "x",
        path: "views/x.sql",
        purpose: Purpose::View,
        text: "-- What it\n-- is.\n--\n-- grain: a thing\n-- inputs: a, b\n-- columns like: a\n-- columns:\n--   c: so: many\nSELECT 1\n",
    };
    let head = file.head();
    assert_eq!((head.about.as_str(), head.grain.as_str()), ("What it is.", "a thing"));
    assert_eq!((head.inputs, head.like.as_deref()), (vec!["a".to_owned(), "b".to_owned()], Some("a")));
    assert_eq!(head.columns["c"], "so: many");
    assert_eq!(file.statement(), "SELECT 1");
}
