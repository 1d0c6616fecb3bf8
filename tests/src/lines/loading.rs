//! A message that is written while a first load runs, at a round trip of 200 ms.

use super::{
    Measured, Sink, measured,
    terminal::{ADMIN, PASSWORD, Terminal, seconds, until},
};
use anyhow::{Context, Result};
use fieldpost::Fieldpost;
use fieldpost_devserver::LineConditions;
use std::{path::Path, time::Duration};

const LINE: LineConditions = LineConditions {
    bytes_per_second: Some(200_000),
    round_trip: Duration::from_millis(200),
    handshake: Duration::ZERO,
    lost_of_hundred: 0,
    most_mutations: None,
    most_rows: None,
};

const MOST: Duration = Duration::from_secs(120);

pub(super) async fn measure(program: &Path, sink: Sink<'_>) -> Result<()> {
    sink(vec![by_the_sdk().await?]);
    sink(vec![by_two_processes(program).await?]);
    Ok(())
}

/// Fills the org, so that the admin's first load takes many pages.
fn fill(terminal: &Terminal) {
    let server = &terminal.reference;
    for number in 0..150 {
        let medic = server.add_medic_without_account(terminal.org, "Medic", &number.to_string());
        let thread = server.open_direct(terminal.org, medic, terminal.admin);
        let text = |line| format!("note {line} of {number}, written on the site this morning");
        server.insert_messages(thread, terminal.admin, &(0..100).map(text).collect::<Vec<_>>());
    }
    // The newest activity, so that the first screen shows the thread.
    server.insert_message(terminal.thread, terminal.admin, "Are you there?");
}

/// One app: the time from `send` until the server's acknowledgement is stored.
async fn by_the_sdk() -> Result<Measured> {
    let terminal = Terminal::new(Path::new("unused")).await?;
    fill(&terminal);
    let folder = tempfile::tempdir()?;
    let builder = Fieldpost::builder().url(terminal.network.url()).anon_key(terminal.server.anon_key());
    let client = builder.database(folder.path().join("phone.db")).open().await?;
    client.sign_in(ADMIN, PASSWORD).await?;
    client.start().await;
    terminal.network.line(LINE);
    let mut status = client.status();
    status.wait_for(|status| status.bootstrap.is_some_and(|progress| progress.done > 20)).await?;
    let mut times = Vec::new();
    for number in 0..5 {
        let thread = client.conversations().await?.first().context("no conversation yet")?.id;
        let begun = tokio::time::Instant::now();
        let sent = client.conversation(thread).send(&format!("while it loads {number}")).await?;
        tokio::time::timeout(MOST, sent.delivered()).await??;
        times.push(begun.elapsed());
    }
    let loading = client.status().borrow().bootstrap.is_some();
    anyhow::ensure!(loading, "the first load was over before the messages were sent; it says nothing");
    times.sort();
    Ok(measured("the same app loads (median of 5)", "acknowledged after", seconds(Some(times[2]), MOST)))
}

/// A watching process loads, and another one writes: the time until the server has the message.
async fn by_two_processes(program: &Path) -> Result<Measured> {
    const CASE: &str = "another process loads (`sync --watch`)";
    let terminal = Terminal::new(program).await?;
    fill(&terminal);
    terminal.login(ADMIN).await?;
    terminal.network.line(LINE);
    let _watching = terminal.start(&["sync", "--watch"])?;
    let shown = async || Ok(!terminal.shown().await?.is_empty());
    until(MOST, shown).await?.context("no conversation came")?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    terminal.write("while it loads").await?;
    let arrived = async || Ok(terminal.arrived("while it loads"));
    let sent = until(MOST, arrived).await?;
    Ok(measured(CASE, "acknowledged after", seconds(sent, MOST)))
}
