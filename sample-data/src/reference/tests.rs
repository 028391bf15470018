use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Truth, write};
use crate::{Estate, Options, Scenario, simulate};

fn truth(options: &Options) -> Truth {
    let mut simulation = simulate(&Estate::probation(), options).unwrap();
    simulation.by_ref().for_each(drop);
    simulation.finish()
}

fn small() -> Options {
    Options { staff: 60, weeks: 2, seed: 4, scenario: Scenario::Hard, logins_apart: true, ..Options::default() }
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The lines of a file as cells by column; none of the cells of these files holds a comma.
fn rows(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), header.len(), "{line}");
            header.iter().copied().zip(cells).collect()
        })
        .collect()
}

#[test]
fn the_same_seed_writes_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    write(&truth(&small()), &one).unwrap();
    write(&truth(&small()), &other).unwrap();
    let mut names = 0;
    for entry in std::fs::read_dir(&one).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert_eq!(read(&one, &name), read(&other, &name), "{name}");
        names += 1;
    }
    assert_eq!(names, 8);
    let blocked = one.join("staffing.csv");
    assert!(write(&truth(&small()), &blocked).unwrap_err().to_string().contains("staffing.csv"));
}

#[test]
fn the_files_go_with_the_people_and_the_systems() {
    let folder = tempfile::tempdir().unwrap();
    let truth = truth(&small());
    write(&truth, folder.path()).unwrap();

    let directory = read(folder.path(), "directory.csv");
    let directory = rows(&directory);
    let persons: BTreeSet<&str> = directory.iter().map(|row| row["person"]).collect();
    let logins: BTreeSet<(&str, &str)> = directory.iter().map(|row| (row["system"], row["login"])).collect();
    assert_eq!(persons.len(), 60);
    assert_eq!(logins.len(), 60 * 7, "a person has a login in each system");
    assert_eq!(logins.iter().map(|(_, login)| login).collect::<BTreeSet<_>>().len(), 60 * 7);

    let staffing = read(folder.path(), "staffing.csv");
    let mut headcount = BTreeMap::new();
    for row in rows(&staffing) {
        headcount.insert((row["organisation"], row["role"]), row["headcount"].parse::<usize>().unwrap());
        assert!(row["hourly_cost"].parse::<f64>().unwrap() > 10.0);
    }
    let mut observed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for row in &directory {
        observed.entry((row["organisation"], row["role"])).or_default().insert(row["person"]);
    }
    assert_eq!(headcount.len(), observed.len());
    assert!(observed.iter().all(|(cell, people)| headcount[cell] > people.len()), "some are never observed");

    let survey = read(folder.path(), "survey.csv");
    let diary = read(folder.path(), "diary.csv");
    let (survey, diary) = (rows(&survey), rows(&diary));
    assert!(survey.iter().all(|row| persons.contains(row["respondent"])));
    assert!(diary.iter().all(|row| persons.contains(row["person"]) && row["minutes"].parse::<f64>().unwrap() > 0.0));
    assert!(diary.iter().any(|row| row["activity"] == "contact"));

    let go_lives = read(folder.path(), "go_lives.csv");
    let live = |row: &BTreeMap<&str, &str>| !row["went_live_on"].is_empty();
    assert_eq!(rows(&go_lives).len(), 21);
    assert_eq!(rows(&go_lives).iter().filter(|row| live(row)).count(), 8, "two have had it, six get it");
    assert_eq!(rows(&read(folder.path(), "categories.csv")).len(), 14);
}

#[test]
fn people_say_that_they_lose_more_than_they_do_by_about_the_stated_bias() {
    let truth = truth(&Options { staff: 300, weeks: 1, seed: 9, ..Options::default() });
    let folder = tempfile::tempdir().unwrap();
    write(&truth, folder.path()).unwrap();
    let text = read(folder.path(), "survey.csv");
    let said: Vec<f64> = rows(&text)
        .iter()
        .filter(|row| row["system"].is_empty())
        .map(|row| row["hours_per_week"].parse().unwrap())
        .collect();
    let mean = said.iter().sum::<f64>() / said.len() as f64;
    let lost = truth.lost_by_worker.values().sum::<i64>() as f64 / 3.6e9 / truth.person_weeks as f64;
    assert!(said.len() > 60);
    assert!((1.1..1.6).contains(&(mean / lost)), "{mean} h said, {lost} h lost");
}

#[test]
fn a_task_is_told_by_a_place_that_no_other_has() {
    let folder = tempfile::tempdir().unwrap();
    write(&truth(&small()), folder.path()).unwrap();
    let rules: toml::Table = read(folder.path(), "tasks.toml").parse().unwrap();
    let tasks = rules["tasks"].as_array().unwrap();
    let places: BTreeSet<String> = tasks.iter().map(|task| task["start"].to_string()).collect();
    assert_eq!(places.len(), tasks.len());
    assert!(tasks.iter().any(|task| task["name"].as_str() == Some("transfer")));
    assert_eq!(rules["completes"].as_array().unwrap().len(), tasks.len());
}
