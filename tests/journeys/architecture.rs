//! The crate graph is the architecture: no other edge may appear.

use std::{collections::BTreeSet, process::Command};

/// `who → whom`, everything that is allowed. The root package and the tests see all.
const EDGES: [(&str, &str); 5] = [
    ("gilbreth-dashboards", "gilbreth-analytics"),
    ("gilbreth-analytics", "gilbreth-collector"),
    ("gilbreth-collector", "gilbreth-conventions"),
    ("gilbreth-sample-data", "gilbreth-conventions"),
    ("gilbreth-tests", "gilbreth-conventions"),
];

#[test]
fn crates_depend_on_each_other_only_as_the_architecture_says() {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(format!("{root}/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let target = dependency["name"].as_str().unwrap();
            if target.starts_with("gilbreth") && name != "gilbreth" {
                found.insert((name.to_owned(), target.to_owned()));
            }
        }
    }
    let allowed: BTreeSet<_> = EDGES.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    assert_eq!(found, allowed, "left: the edges there are; right: the edges there may be");
}
