//! Sending what was written without a network, over lines of different length, and over one that loses answers.

use crate::{
    Notes, Size,
    contest::{Client, Contest, Turn, clients},
    line::Weather,
    project::Project,
    pulling::{in_turn, runtime},
};
use anyhow::Result;
use std::time::Duration;

/// One answer in so many is lost.
const LOST: u64 = 10;

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let clients = clients(size)?;
    runtime()?.block_on(async {
        let contest = Contest::new(Project::tenant(5, 1)?).await?;
        for round in notes.rounds(size.pick(1, 2, 3)) {
            for milliseconds in size.pick(vec![0], vec![0, 200], vec![0, 50, 200]) {
                for queued in size.pick(vec![2], vec![1, 500], vec![1, 100, 500, 5_000]) {
                    let weather = Weather { round_trip: Duration::from_millis(milliseconds), ..Weather::default() };
                    let case = format!("{queued} queued, {milliseconds} ms");
                    everybody(&contest, notes, &clients, &case, round, queued, weather).await?;
                }
            }
            let queued = size.pick(2, 100, 500);
            let weather = Weather { lose_every: Some(LOST), ..Weather::default() };
            let case = format!("{queued} queued, 10% of answers lost");
            everybody(&contest, notes, &clients, &case, round, queued, weather).await?;
        }
        Ok(())
    })
}

async fn everybody(
    contest: &Contest,
    notes: &mut Notes,
    clients: &[Client],
    case: &str,
    round: u32,
    queued: u64,
    weather: Weather,
) -> Result<()> {
    for client in in_turn(clients, round) {
        let queued = patience(client, queued, weather);
        if queued == 0 {
            continue;
        }
        let turn = Turn { case, round, task: "drain", expected: 0, queued, weather, limit: Turn::LIMIT };
        contest.turn(notes, client, &turn).await?;
    }
    Ok(())
}

/// The peers send one message with a request or four of its own, one after the other: what a few of them take says what many
/// take, and nobody waits seven minutes for it.
fn patience(client: Client, queued: u64, weather: Weather) -> u64 {
    let slow = weather.round_trip > Duration::ZERO;
    match client {
        Client::Fieldpost => queued,
        Client::Seed => queued.min(if slow { 10 } else { 100 }),
        // Batches do not change how it sends.
        Client::Rxdb(100) => queued.min(500),
        Client::Rxdb(_) => 0,
    }
}
