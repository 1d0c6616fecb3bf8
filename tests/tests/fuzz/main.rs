//! The properties of the fuzz targets, on their corpora and on inputs made from them. `cargo xtask fuzz` looks further.
#![expect(clippy::unwrap_used, reason = "a step that fails has to fail its test")]

use fieldpost_tests::fuzz::{ALL, Property};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use std::{fs, path::Path};

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

/// What comes in place of a piece of an input.
const VALUES: &[&str] =
    &["null", "-1", "9007199254740992", "\"\"", "{}", "[]", "[[]]", "1e9", "\"\\u0000\"", "\"x\"", "}", "\u{1f41d}"];

/// What a fuzzer does to an input: a piece of it goes, or another value comes in its place.
fn altered(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), 0_usize..40, prop_oneof![Just(""), select(VALUES)]);
    (select(corpus), prop::collection::vec(change, 0..4)).prop_map(|(mut bytes, changes)| {
        for (at, length, value) in changes {
            let start = at.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, value.bytes());
        }
        bytes
    })
}

fn holds(target: &str, property: Property) {
    let corpus = corpus(target);
    assert!(corpus.len() >= 5, "{target} has a corpus");
    for input in &corpus {
        property(input);
    }
    // Each of these has a file of its own, with a database to open.
    let cases = if target == "rows" { 200 } else { 1000 };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner
        .run(&altered(corpus), |input| {
            property(&input);
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_property_holds_on_its_corpus_and_on_what_can_be_made_of_it() {
    for (target, property) in ALL {
        holds(target, property);
    }
}
