//! Lists the stories of the conformance suite.

use fieldpost_stories as stories;
use std::{env, error::Error};

/// Modules that help the stories and hold none.
const HELPERS: &[&str] = &["build", "given", "mod", "reported", "suite"];

fn main() -> Result<(), Box<dyn Error>> {
    if env::var_os("CARGO_FEATURE_CONFORMANCE").is_none() {
        println!("cargo::rerun-if-changed=build.rs");
        return Ok(());
    }
    stories::write("storage_conformance_list", "storage_conformance_group", HELPERS)?;
    let suite = ("src/conformance/secrets", "secret_stories.rs");
    stories::write_suite(suite, "secret_conformance_list", "secret_conformance_group", HELPERS)?;
    if env::var_os("CARGO_FEATURE_RECORDS").is_none() {
        return Ok(());
    }
    let suite = ("src/conformance/records", "record_stories.rs");
    stories::write_suite(suite, "record_conformance_list", "record_conformance_group", HELPERS)
}
