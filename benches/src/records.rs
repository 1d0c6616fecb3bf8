//! Sends records written offline: the clinical queue of Fieldpost beside that of the app before, which sends one request
//! for each record and asks for its id.

use crate::{
    Notes, Size,
    line::NetworkConditions,
    peers::{Client, Peers, Turn, clients},
    project::Project,
    pulling::{in_turn, runtime},
};
use anyhow::Result;
use std::time::Duration;

/// RxDB is left out: it knows no queue with priorities, and its replication of one table is what `drain` measures.
const TAKE_PART: [Client; 2] = [Client::Fieldpost, Client::Seed];

/// The most time for each client.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let clients: Vec<_> = clients(size)?.into_iter().filter(|client| TAKE_PART.contains(client)).collect();
    let lines = size.pick(vec![0], vec![0, 200], vec![0, 200]);
    let queued = size.pick(2, 500, 500);
    runtime()?.block_on(async {
        let peers = Peers::new(Project::tenant(1, 1)?).await?;
        for round in notes.rounds(size.pick(1, 2, 3)) {
            for milliseconds in &lines {
                for client in in_turn(&clients, round) {
                    turn(&peers, notes, client, *milliseconds, queued, round).await?;
                }
            }
        }
        Ok(())
    })
}

async fn turn(
    peers: &Peers,
    notes: &mut Notes,
    client: Client,
    milliseconds: u64,
    queued: u64,
    round: u32,
) -> Result<bool> {
    // One request for each record: the time for a few predicts that for all, and the run need not wait two minutes.
    let sent = if client == Client::Seed && milliseconds > 0 { queued.min(20) } else { queued };
    let case = format!("{queued} treatments, {milliseconds} ms");
    let conditions =
        NetworkConditions { round_trip: Duration::from_millis(milliseconds), ..NetworkConditions::default() };
    let turn = Turn { case: &case, round, task: "records", expected: 0, queued: sent, conditions, limit: LIMIT };
    peers.turn(notes, client, &turn).await
}
