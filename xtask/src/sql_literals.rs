//! How much SQL is written by hand in the SQLite store, and why.

use crate::modules::{Sources, sql_literals};
use anyhow::{Result, bail};

/// No more than so many, so that a statement that is not hot goes through the query builder. It may only fall, except for
/// what no builder has, and for what is new and hot: the import of an older file brought `VACUUM INTO` and a look for unknown
/// tables; messaging brought full-text search (24), reactions and settings in the statements of pages and windows, sections
/// over gaps, and retention (128 before it); encryption brought pragmas, ATTACH and a function of SQLCipher (17), and emptying the log of former tokens a pragma; the
/// tombstones of messages that have come back go with the ids of a page, as json_each (1).
const LIMIT: usize = 232;

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
    if all > LIMIT {
        bail!("{all} literals of SQL; {LIMIT} are allowed");
    }
    Ok(())
}
