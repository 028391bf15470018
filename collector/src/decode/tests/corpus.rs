//! What fuzzing has come upon, and what it begins with, through the same checks as there: as it is, and changed at random
//! in the ways in which a fuzzer changes it.

use std::{fs, path::Path};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

#[path = "../../../fuzz/src/checks.rs"]
#[allow(unreachable_pub, dead_code, reason = "the fuzz targets use it from another crate, and all of it")]
mod checks;

/// Numbers at which lengths and kinds change.
const BYTES_OF_INTEREST: [u8; 10] = [0, 1, 0x0a, 0x12, b'"', b'{', 0x7f, 0x80, 0xc0, 0xff];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "{} holds the corpus", folder.display());
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Says which bytes a check did not survive.
struct Trial<'a>(&'a [u8]);

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("of these bytes: {}", self.0.escape_ascii());
        }
    }
}

fn replay(target: &str, check: impl Fn(&[u8])) {
    let files = corpus(target);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let rounds = std::env::var("GILBRETH_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100_u32);
    for file in &files {
        let _trial = Trial(file);
        check(file);
    }
    for _ in 0..rounds {
        for file in &files {
            let mut bytes = file.clone();
            for _ in 0..random.random_range(1..=4) {
                change(&mut bytes, &files, &mut random);
            }
            let _trial = Trial(&bytes);
            check(&bytes);
        }
    }
}

/// One change: of a bit, of a byte; a piece less, a piece twice, a piece of another, a piece of the same put elsewhere.
fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut ChaCha8Rng) {
    let piece = |of: &[u8], random: &mut ChaCha8Rng| {
        let from = random.random_range(0..=of.len());
        let length = random.random_range(0..=32.min(of.len() - from));
        from..from + length
    };
    let at = random.random_range(0..=bytes.len());
    match random.random_range(0..6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
        1 if at < bytes.len() => bytes[at] = BYTES_OF_INTEREST[random.random_range(0..BYTES_OF_INTEREST.len())],
        2 => drop(bytes.drain(piece(bytes, random))),
        3 => {
            let twice = piece(bytes, random);
            bytes.splice(at..at, bytes[twice].to_vec());
        }
        4 => {
            let other = &others[random.random_range(0..others.len())];
            bytes.splice(at..at, other[piece(other, random)].to_vec());
        }
        _ => bytes.truncate(at),
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
