//! Sends messages while a first load runs, one after the other: until the acknowledgement of each is stored.

use crate::{
    Notes, Size,
    line::NetworkConditions,
    peers::{Client, Peers, Turn, clients},
    project::Project,
    pulling::{in_turn, runtime},
};
use anyhow::Result;
use std::time::Duration;

const ROUND_TRIP: Duration = Duration::from_millis(200);

/// The seed algorithm is left out: it sends only once its pull is over.
const TAKE_PART: [Client; 2] = [Client::Fieldpost, Client::Rxdb(1_000)];

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let clients: Vec<_> = clients(size)?.into_iter().filter(|client| TAKE_PART.contains(client)).collect();
    // The load must outlast the messages, or there is no figure.
    let (conversations, messages, sends) = size.pick((80, 100, 1), (200, 100, 4), (200, 100, 4));
    runtime()?.block_on(async {
        let peers = Peers::new(Project::tenant(conversations, messages)?).await?;
        let case = format!("{conversations} × {messages} to load, {} ms", ROUND_TRIP.as_millis());
        let conditions = NetworkConditions { round_trip: ROUND_TRIP, forgetful: true, ..NetworkConditions::default() };
        for round in notes.rounds(size.pick(1, 3, 7)) {
            let turn = Turn {
                case: &case,
                round,
                task: "meanwhile",
                expected: 0,
                queued: sends,
                conditions,
                limit: Turn::LIMIT,
            };
            for client in in_turn(&clients, round) {
                peers.turn(notes, client, &turn).await?;
            }
        }
        Ok(())
    })
}
