//! `fieldpost key`: makes keys, and changes that of a database.

use crate::{args::DeviceArgs, device::database, failure::Failure, keys, output::Output};
use clap::Subcommand;
use fieldpost::{Entropy, Key, KeyChange, OsEntropy, change_key};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What to do about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Write a new random key to a file that only you can read. Keep a copy: without it the database cannot be read
    New {
        /// The file to write; it must not exist
        file: PathBuf,
    },
    /// Encrypt the database with the key of --key-file
    Set,
    /// Give the database another key than that of --key-file
    Change {
        /// The file with the new key
        #[arg(long, value_name = "FILE")]
        new_key_file: PathBuf,
    },
    /// Make the database a plain one; it has the key of --key-file
    Remove,
}

pub(super) async fn run(args: &DeviceArgs, what: What, output: &Output) -> Result<(), Failure> {
    match what {
        What::New { file } => make(&file, output),
        What::Set => change(args, KeyChange::Encrypt(given(args)?), "encrypted", output).await,
        What::Change { new_key_file } => {
            let change_to = KeyChange::Replace { old: given(args)?, new: keys::read(&new_key_file)? };
            change(args, change_to, "encrypted with the new key", output).await
        }
        What::Remove => change(args, KeyChange::Decrypt(given(args)?), "no longer encrypted", output).await,
    }
}

fn given(args: &DeviceArgs) -> Result<Key, Failure> {
    let missing = || Failure::usage("which key? Give --key-file; `fieldpost key new FILE` makes one");
    keys::of(args)?.ok_or_else(missing)
}

fn make(file: &Path, output: &Output) -> Result<(), Failure> {
    let random = |_| OsEntropy.bytes();
    let bytes: Vec<u8> = (0..4).flat_map(random).take(32).collect();
    let key = bytes.try_into().ok().and_then(|bytes| Key::new(bytes).ok());
    let key = key.ok_or_else(|| Failure::error("this machine gives no random numbers"))?;
    keys::write(file, &key)?;
    output.result(&json!({"key_file": file}), || {
        format!(
            "Wrote a new key to {}. Keep a copy in a safe place: without it the database cannot be read.",
            file.display()
        )
    });
    Ok(())
}

async fn change(args: &DeviceArgs, change: KeyChange, done: &str, output: &Output) -> Result<(), Failure> {
    let path = database(args)?;
    let bar = output.key_bar();
    let changed = change_key(&path, change, |progress| bar.show(progress)).await;
    bar.done();
    changed.map_err(fieldpost::Error::from)?;
    output.result(&json!({"database": path, "changed": true}), || format!("{} is {done}.", path.display()));
    Ok(())
}
