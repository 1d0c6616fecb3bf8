//! What a call costs in each language, beside the same call in Rust.

use super::table::Table;
use crate::process;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;

pub(super) fn print(table: &Table) -> Result<()> {
    if table.measured().is_empty() {
        return Ok(());
    }
    let rust = in_rust()?;
    let names: String = table.languages().into_iter().map(|language| format!("{:>12}", language.to_string())).collect();
    println!("\none call in µs (unoptimised build)        Rust  Rust, the layer{names}");
    for (name, languages) in table.measured() {
        let of = |side: &str| rust.get(&format!("{side} {name}")).copied().unwrap_or(f64::NAN);
        let micros = |language| languages.get(&language).map_or_else(String::new, |micros| format!("{micros:.0}"));
        let others: String =
            table.languages().into_iter().map(|language| format!("{:>12}", micros(language))).collect();
        println!("{name:<36}{:>10.1}{:>17.1}{others}", of("sdk"), of("ffi"));
    }
    Ok(())
}

fn in_rust() -> Result<BTreeMap<String, f64>> {
    let mut cargo = process::cargo();
    cargo.args(["run", "--locked", "--quiet", "-p", "fieldpost-ffi", "--example", "calls"]);
    let output = cargo.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the calls were not measured in Rust: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
