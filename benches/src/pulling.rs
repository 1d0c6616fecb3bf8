//! The first pull of a new device, and a sync that finds nothing.

use crate::{
    Notes, Size,
    contest::{Client, Contest, Turn, clients},
    line::Weather,
};
use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

/// Everything that a new device needs, from the same server and from memory.
pub(crate) fn first(size: Size, notes: &mut Notes) -> Result<()> {
    let sizes = size.pick(vec![(3, 2)], vec![(50, 100)], vec![(200, 100), (1_000, 100)]);
    let clients = clients(size)?;
    runtime()?.block_on(async {
        for (conversations, messages) in sizes {
            let contest = Contest::new(conversations, messages).await?;
            let expected = conversations * messages;
            let rounds = size.pick(1, 2, if expected > 50_000 { 1 } else { 2 });
            for (server, from_memory) in [("Supabase Lite", false), ("no cost", true)] {
                let case = format!("{conversations} × {messages}, {server}");
                let weather = Weather { from_memory, ..Weather::default() };
                for round in 0..rounds {
                    let turn = Turn { case: &case, round, task: "pull", expected, queued: 0, weather };
                    for client in in_turn(&clients, round) {
                        // Of a hundred thousand messages these two would take longer than everything else together.
                        let slow = matches!(client, Client::Seed | Client::Rxdb(100));
                        if !(slow && expected > 50_000) {
                            contest.turn(notes, client, &turn).await?;
                        }
                    }
                }
            }
        }
        Ok(())
    })
}

/// A sync when nothing is new.
pub(crate) fn again(size: Size, notes: &mut Notes) -> Result<()> {
    let sizes = size.pick(vec![1], vec![10, 100], vec![10, 200]);
    let clients = clients(size)?;
    runtime()?.block_on(async {
        for conversations in sizes {
            let contest = Contest::new(conversations, 100).await?;
            let case = format!("{} messages", conversations * 100);
            for round in 0..size.pick(1, 2, 2) {
                let turn =
                    Turn { case: &case, round, task: "again", expected: 0, queued: 0, weather: Weather::default() };
                for client in in_turn(&clients, round) {
                    contest.turn(notes, client, &turn).await?;
                }
            }
        }
        Ok(())
    })
}

/// Who comes first changes from round to round.
pub(crate) fn in_turn(clients: &[Client], round: u32) -> Vec<Client> {
    let mut clients = clients.to_vec();
    let by = round as usize % clients.len().max(1);
    clients.rotate_left(by);
    clients
}

pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
