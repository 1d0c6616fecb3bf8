//! Counts the handwritten SQL in the SQLite store, with its reasons.

use crate::modules::{Sources, sql_literals};
use anyhow::{Result, bail};

/// The count must stay below this, so that statements that are not hot use the query builder.
const LIMIT: usize = 90;

pub(crate) fn run() -> Result<()> {
    println!("── SQL by hand");
    let sources = Sources::read(&crate::process::root().join("crates/storage-sqlite/src"))?;
    let modules = sql_literals(&sources);
    let mut without = Vec::new();
    for module in &modules {
        println!("{:>4}  {}: {}", module.count, module.module, module.reason.as_deref().unwrap_or("?"));
        if module.reason.is_none() {
            without.push(module.module.as_str());
        }
    }
    let all: usize = modules.iter().map(|module| module.count).sum();
    println!("{all:>4}  in {} modules", modules.len());
    if !without.is_empty() {
        bail!("no reason (`//! SQL by hand: …`) in {}", without.join(", "));
    }
    if all >= LIMIT {
        bail!("{all} literals of SQL; fewer than {LIMIT} are allowed");
    }
    Ok(())
}
