//! The list of planted bugs matches the code that asks for them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fieldpost_domain::planted::PlantedBug;
use fieldpost_testkit::simulator::Invariant;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All sources below a folder except the list itself.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("domain/src/planted.rs")
        {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_planted_bug_is_asked_for_at_one_place() {
    let mut text = String::new();
    for entry in fs::read_dir(crates()).unwrap() {
        let sources_of = entry.unwrap().path().join("src");
        // The crates folder also holds files that several build scripts share.
        if sources_of.is_dir() {
            sources(&sources_of, &mut text);
        }
    }
    for bug in PlantedBug::ALL {
        let asked = text.matches(&format!("planted(PlantedBug::{})", bug.name())).count();
        assert_eq!(asked, 1, "{}", bug.name());
    }
}

#[test]
fn every_invariant_has_a_planted_bug_and_every_planted_bug_an_invariant() {
    let simulated = PlantedBug::ALL.iter().filter(|bug| bug.is_simulated());
    let planted: BTreeSet<_> = simulated.map(|bug| bug.invariant()).collect();
    let invariants: BTreeSet<_> = Invariant::ALL.iter().map(|invariant| invariant.name()).collect();
    assert_eq!(planted, invariants);
}

#[test]
fn every_planted_bug_that_the_simulator_cannot_find_has_a_test_that_must() {
    let proofs = fs::read_to_string(crates().parent().unwrap().join("xtask/src/planted_bugs/encryption.rs")).unwrap();
    for bug in PlantedBug::ALL.iter().filter(|bug| !bug.is_simulated()) {
        assert!(proofs.contains(&format!("\"{}\"", bug.name())), "{}", bug.name());
    }
}
