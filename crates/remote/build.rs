//! Lists the stories of the conformance suite.

use fieldpost_stories as stories;
use std::{env, error::Error};

/// Modules that help the stories and hold none.
const HELPERS: &[&str] = &["actor", "backend", "fresh", "mod", "reference", "registry", "scene"];

fn main() -> Result<(), Box<dyn Error>> {
    if env::var_os("CARGO_FEATURE_CONFORMANCE").is_none() {
        println!("cargo::rerun-if-changed=build.rs");
        return Ok(());
    }
    if env::var_os("CARGO_FEATURE_RECORDS").is_some() {
        let suite = ("src/conformance/records", "record_stories.rs");
        stories::write_suite(suite, "records_conformance_list", "records_conformance_group", HELPERS)?;
    }
    stories::write("remote_conformance_list", "remote_conformance_group", HELPERS)
}
