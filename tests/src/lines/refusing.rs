//! A server that refuses batches above 100 mutations, or pages above 500 rows, because the statement takes too long. Each
//! sync is a process of its own, as a job of the system runs it.

use super::{Measured, Sink, measured, terminal::Terminal};
use anyhow::Result;
use fieldpost_devserver::LineConditions;
use std::path::Path;

const WRITTEN: usize = 450;
const RECEIVED: usize = 3_000;
const PROCESSES: usize = 6;

pub(super) async fn measure(program: &Path, sink: Sink<'_>) -> Result<()> {
    sink(batches(program).await?);
    sink(pages(program).await?);
    Ok(())
}

async fn batches(program: &Path) -> Result<Vec<Measured>> {
    const CASE: &str = "450 messages to send, batches above 100 refused";
    let terminal = Terminal::of_medic(program).await?;
    for number in 0..WRITTEN {
        terminal.write(&format!("number {number}")).await?;
    }
    terminal.network.line(LineConditions { most_mutations: Some(100), ..LineConditions::default() });
    let left = async || Ok::<_, anyhow::Error>(terminal.values(&["outbox"]).await?.len());
    let mut failed = 0;
    let mut processes = 0;
    while processes < PROCESSES && left().await? > 0 {
        processes += 1;
        failed += usize::from(!terminal.run(&["sync"]).await?.status.success());
    }
    let tally = terminal.network.tally();
    Ok(vec![
        measured(CASE, "left after 6 processes", left().await?.to_string()),
        measured(CASE, "processes", processes.to_string()),
        measured(CASE, "of them failed", failed.to_string()),
        measured(CASE, "calls refused", tally.refused_sizes.to_string()),
    ])
}

async fn pages(program: &Path) -> Result<Vec<Measured>> {
    const CASE: &str = "3,000 messages to receive, pages above 500 refused";
    let terminal = Terminal::of_medic(program).await?;
    let texts: Vec<_> = (0..RECEIVED).map(|number| format!("number {number}")).collect();
    terminal.reference.insert_messages(terminal.thread, terminal.admin, &texts);
    terminal.network.line(LineConditions { most_rows: Some(500), ..LineConditions::default() });
    let last = format!("number {}", RECEIVED - 1);
    let arrived = async || {
        let shown = terminal.shown().await?;
        Ok::<_, anyhow::Error>(shown.iter().any(|message| message["content"] == last.as_str()))
    };
    let (mut failed, mut processes) = (0, 0);
    while processes < PROCESSES && !arrived().await? {
        processes += 1;
        failed += usize::from(!terminal.run(&["sync"]).await?.status.success());
    }
    let came = if arrived().await? { "all" } else { "not the newest" };
    let tally = terminal.network.tally();
    Ok(vec![
        measured(CASE, "received after 6 processes", came),
        measured(CASE, "processes", processes.to_string()),
        measured(CASE, "of them failed", failed.to_string()),
        measured(CASE, "calls refused", tally.refused_sizes.to_string()),
    ])
}
