//! A client with its own store in place of the file: here the in-memory store that comes with the contract.
//!
//! If you write a store, run the suite of `fieldpost::storage` (feature `conformance`) on it.
//!
//! ```text
//! cargo run -p fieldpost --example own_store -- <url> <key> ada@fieldpost.test fieldpost-demo
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a terminal")]

use fieldpost::{Client, Fieldpost, Store, storage::memory::MemoryStore};
use std::{error::Error, sync::Arc};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, email, password] = &arguments[..] else {
        return Err("usage: own_store <url> <key> <email> <password>".into());
    };
    let client = open(url, key, Arc::new(MemoryStore::new())).await?;
    client.sign_in(email, password).await?;
    client.sync().await?;
    for line in client.conversations().await? {
        println!("{} ({} unread)", line.participant_name, line.unread);
    }
    client.close().await?;
    Ok(())
}

pub(crate) async fn open(url: &str, key: &str, store: Arc<dyn Store>) -> fieldpost::Result<Client> {
    Fieldpost::builder().url(url).anon_key(key).store(store).open().await
}
