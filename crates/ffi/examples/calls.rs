//! What a call costs in Rust: through the SDK, and through the layer that the other languages call.
//!
//! `cargo xtask bindings test` shows it beside what the same calls cost in the other languages.
#![expect(clippy::print_stdout, reason = "an example that tells its result")]

use fieldpost_devserver::DevServer;
use fieldpost_ffi::{Client, ClientOptions};
use std::{error::Error, time::Instant};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const EMAIL: &str = "ada@fieldpost.test";
const PASSWORD: &str = "fieldpost-demo";

#[tokio::main]
async fn main() -> Outcome {
    let server = DevServer::builder().start().await?;
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let mut measured = serde_json::Map::new();

    let builder = fieldpost::Fieldpost::builder().url(server.url()).anon_key(server.anon_key()).without_live();
    let sdk = builder.database(file("sdk.db")).open().await?;
    sdk.sign_in(EMAIL, PASSWORD).await?;
    sdk.sync().await?;
    let direct = |kind: &fieldpost::ConversationKind| *kind == fieldpost::ConversationKind::Direct;
    let lines = sdk.conversations().await?;
    let conversation = sdk.conversation(lines.iter().find(|line| direct(&line.kind)).ok_or("no conversation")?.id);
    measured.insert("sdk send".into(), mean(200, async || conversation.send("Measured").await.map(drop)).await?.into());
    measured.insert("sdk list".into(), mean(500, async || sdk.conversations().await.map(drop)).await?.into());
    measured.insert(
        "sdk status".into(),
        mean(2_000, async || {
            let _status = sdk.status().borrow().clone();
            Ok::<_, fieldpost::Error>(())
        })
        .await?
        .into(),
    );
    sdk.close().await?;

    let options = ClientOptions {
        url: Some(server.url().into()),
        anon_key: Some(server.anon_key().into()),
        live: false,
        ..ClientOptions::at(file("ffi.db").to_string_lossy())
    };
    let client = Client::open(options, None, None).await?;
    client.sign_in(EMAIL.into(), PASSWORD.into()).await?;
    client.sync().await?;
    let id = conversation.id();
    measured.insert(
        "ffi send".into(),
        mean(200, async || client.send(id, "Measured".into()).await.map(drop)).await?.into(),
    );
    measured.insert("ffi list".into(), mean(500, async || client.conversations(None).await.map(drop)).await?.into());
    measured.insert("ffi status".into(), mean(2_000, async || client.status().map(drop)).await?.into());
    client.shutdown().await?;
    server.shutdown().await;
    println!("{}", serde_json::Value::Object(measured));
    Ok(())
}

/// The mean time of a call, in microseconds.
async fn mean<E: Error + 'static>(times: u32, call: impl AsyncFn() -> Result<(), E>) -> Outcome<f64> {
    let started = Instant::now();
    for _ in 0..times {
        call().await?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(times))
}
