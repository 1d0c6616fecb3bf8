//! `fieldpost demo`: tells the main story while it happens, and checks it.
//!
//! There is one server in memory, with one proxy per device in front of it, so that each device's network can be cut
//! separately. The medic writes in a separate process, which is killed with SIGKILL. The demo checks every claim on the
//! devices and on the server; a claim that does not hold ends it with an error.

mod act;
mod compare;
mod found;
mod second_thoughts;
mod stage;
mod story;
mod told;
mod urgent;
mod writer;

pub(crate) use writer::write_and_wait;

use crate::{failure::Failure, output::Output};
use compare::Verdict;
use serde::Serialize;
use stage::Stage;
use std::{fmt, time::Instant};
use story::Story;

/// Tells the story with `messages` messages written offline, and a treatment behind a `backlog` of them.
pub(crate) async fn run(messages: u32, backlog: u32, output: &Output) -> Result<(), Failure> {
    let began = Instant::now();
    let story = Story::new(output.clone());
    let stage = Stage::set().await?;
    act::first_sync(&stage, &story).await?;
    let written = act::offline_and_killed(&stage, &story, messages).await?;
    let announced = act::admin_writes_meanwhile(&stage, &story).await?;
    act::network_returns(&stage, &story, messages).await?;
    let verdict = compare::both_threads(&stage, &story, &written, &announced).await?;
    act::unread_until_read(&stage, &story, announced.len()).await?;
    second_thoughts::edited_and_deleted(&stage, &story).await?;
    told::received_and_read(&stage, &story).await?;
    found::on_the_phone(&stage, &story).await?;
    let urgent = urgent::treatment_before_backlog(&stage, &story, backlog).await?;
    let requests = stage.requests();
    let seconds = began.elapsed().as_secs_f64();
    stage.strike().await?;
    let summary = Summary {
        verdict,
        waiting_behind_the_treatment: urgent.waiting,
        requests,
        seconds: (seconds * 1000.0).round() / 1000.0,
    };
    output.result(&summary, || summary.to_string());
    Ok(())
}

/// The last line of the output.
#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    verdict: Verdict,
    waiting_behind_the_treatment: u64,
    requests: u64,
    seconds: f64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { sent, delivered, lost, duplicated } = self.verdict;
        write!(f, "\n{sent} sent, {delivered} delivered, {lost} lost, {duplicated} doubled, ")?;
        write!(f, "in {} requests and {:.1} s.", self.requests, self.seconds)
    }
}
