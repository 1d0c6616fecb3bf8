//! Every function of the suite is in the list that makes tests of them: one that is forgotten would be silently green.
#![cfg(feature = "conformance")]

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_function_of_the_suite_is_registered() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let registry = fs::read_to_string(suite.join("registry.rs")).unwrap();
    let listed: BTreeSet<_> = registry.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut functions = 0;
    for file in fs::read_dir(&suite).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in source.lines().filter(|line| line.contains("(backend: &dyn Backend) -> Verdict")) {
            let name = line.trim_start_matches("pub async fn ").split('(').next().unwrap();
            assert!(listed.contains(name), "{name} is not in remote_conformance!");
            functions += 1;
        }
    }
    assert!(functions >= 90, "found only {functions} functions");
}
