//! Sends messages written offline, over connections with different latencies, and over one that loses responses.

use crate::{
    Notes, Size,
    line::NetworkConditions,
    peers::{Client, Peers, Turn, clients},
    project::Project,
    pulling::{in_turn, runtime},
};
use anyhow::Result;
use std::time::Duration;

/// One in this many responses is lost.
const LOST: u64 = 10;

/// The most time for each client.
const LIMIT: Duration = Duration::from_secs(30);

/// The queued messages, and the conditions of the line.
struct Case {
    name: String,
    queued: u64,
    conditions: NetworkConditions,
}

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let clients = clients(size)?;
    runtime()?.block_on(async {
        let peers = Peers::new(Project::tenant(5, 1)?).await?;
        let few = size.pick(vec![2], vec![1, 100], vec![1, 100, 500]);
        let (mut cases, many) = (cases(size, &few), cases(size, &[5_000]));
        cases.push(losses(size));
        let mut hopeless = Vec::new();
        for round in notes.rounds(size.pick(1, 2, 3)) {
            for case in &cases {
                for client in in_turn(&clients, round) {
                    let turn = (client, case.name.clone());
                    if hopeless.contains(&turn) {
                        continue;
                    }
                    if !drain(&peers, notes, client, case, round).await? {
                        // Running into the limit once is enough.
                        hopeless.push(turn);
                    }
                }
            }
            for case in many.iter().filter(|_| size == Size::Full && round == 0) {
                drain(&peers, notes, Client::Fieldpost, case, round).await?;
            }
        }
        Ok(())
    })
}

fn cases(size: Size, queued: &[u64]) -> Vec<Case> {
    let lines = size.pick(vec![0], vec![0, 200], vec![0, 50, 200]);
    let of = |milliseconds| {
        queued.iter().map(move |queued| Case {
            name: format!("{queued} queued, {milliseconds} ms"),
            queued: *queued,
            conditions: NetworkConditions {
                round_trip: Duration::from_millis(milliseconds),
                ..NetworkConditions::default()
            },
        })
    };
    lines.into_iter().flat_map(of).collect()
}

fn losses(size: Size) -> Case {
    let queued = size.pick(2, 100, 500);
    let conditions = NetworkConditions { lose_every: Some(LOST), ..NetworkConditions::default() };
    Case { name: format!("{queued} queued, 10% of answers lost"), queued, conditions }
}

/// Whether it finished in time.
async fn drain(peers: &Peers, notes: &mut Notes, client: Client, case: &Case, round: u32) -> Result<bool> {
    let queued = patience(client, case);
    if queued == 0 {
        return Ok(true);
    }
    let turn =
        Turn { case: &case.name, round, task: "drain", expected: 0, queued, conditions: case.conditions, limit: LIMIT };
    peers.turn(notes, client, &turn).await
}

/// The peers send each message with one to four requests: the seed algorithm one message after the other, RxDB those of
/// a batch at once. So the time for a few messages predicts that for many, and the run need not wait seven minutes.
fn patience(client: Client, case: &Case) -> u64 {
    let slow = case.conditions.round_trip > Duration::ZERO;
    match client {
        Client::Fieldpost => case.queued,
        Client::Seed if case.conditions.lose_every.is_some() => case.queued.min(50),
        Client::Seed => case.queued.min(if slow { 5 } else { 30 }),
        // Batches do not change how it sends.
        Client::Rxdb(100) => case.queued.min(200),
        Client::Rxdb(_) => 0,
    }
}
