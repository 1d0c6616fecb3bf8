//! Lists the stories of the conformance suite.

#[path = "../stories.rs"]
mod stories;

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    if env::var_os("CARGO_FEATURE_CONFORMANCE").is_none() {
        println!("cargo::rerun-if-changed=build.rs");
        return Ok(());
    }
    stories::write(
        "storage_conformance_list",
        "storage_conformance_group",
        &["build", "given", "mod", "reported", "suite"],
    )
}
