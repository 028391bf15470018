//! What fuzzing has come upon, and what it begins with, through the same checks as there.

use std::{fs, path::Path};

#[path = "../../../fuzz/src/checks.rs"]
#[allow(unreachable_pub, dead_code, reason = "the fuzz targets use it from another crate, and all of it")]
mod checks;

fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "{} holds the corpus", folder.display());
    for file in files {
        eprintln!("{}", file.display());
        check(&fs::read(&file).unwrap());
    }
}

#[test]
fn the_corpus_of_protobuf_is_read_as_by_prost() {
    replay("protobuf", checks::protobuf);
}

#[test]
fn the_corpus_of_json_is_read_as_by_serde() {
    replay("json", checks::json);
}
