//! The first pull of a new device, and a sync that finds nothing.

use crate::{
    Notes, Size,
    generated::Generated,
    line::NetworkConditions,
    peers::{Client, Peers, Turn, clients},
    project::Project,
};
use anyhow::Result;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How many messages of each conversation a first pull fetches; RxDB fetches all.
const RECENT: u64 = 100;

/// Above this number of messages only the fastest take part.
const MANY: u64 = 50_000;

/// The most time for Fieldpost to load a million messages.
const LONG: Duration = Duration::from_secs(240);

/// Everything that a new device needs, from the same server and from recorded responses.
pub(crate) fn first(size: Size, notes: &mut Notes) -> Result<()> {
    let clients = clients(size)?;
    runtime()?.block_on(async {
        for (conversations, messages) in size.pick(vec![(3, 2)], vec![(50, 100)], vec![(200, 100), (1_000, 100)]) {
            let peers = Peers::new(Project::tenant(conversations, messages)?).await?;
            let expected = conversations * messages;
            for (server, from_memory) in [("Supabase Lite", false), ("no cost", true)] {
                let case = format!("{conversations} × {messages}, {server}");
                let conditions = NetworkConditions { from_memory, ..NetworkConditions::default() };
                let rounds = size.pick(1, 2, if expected > MANY { 1 } else { 3 });
                for round in notes.rounds(rounds) {
                    let turn = Turn { case: &case, round, conditions, ..pull(expected) };
                    for client in in_turn(&clients, round).into_iter().filter(|client| bears(*client, expected)) {
                        peers.turn(notes, client, &turn).await?;
                    }
                }
            }
        }
        long_history(size, notes, &clients).await?;
        everything(size, notes).await
    })
}

/// A first pull from a server that has far more than a device needs. A client that fetches everything may not finish.
async fn long_history(size: Size, notes: &mut Notes, clients: &[Client]) -> Result<()> {
    let (conversations, messages) = size.pick((2, 101), (100, 1_000), (1_000, 1_000));
    let peers = Peers::new(Project::kept_tenant(conversations, messages)?).await?;
    let case = format!("{conversations} × {messages}, Supabase Lite");
    let conditions = NetworkConditions { forgetful: true, ..NetworkConditions::default() };
    for client in clients.iter().filter(|client| **client != Client::Rxdb(100)) {
        let wanted = if *client == Client::Rxdb(1_000) { messages } else { RECENT };
        let turn = Turn { case: &case, conditions, ..pull(conversations * wanted) };
        peers.turn(notes, *client, &turn).await?;
    }
    Ok(())
}

/// All of a million messages, from a server that costs almost nothing.
async fn everything(size: Size, notes: &mut Notes) -> Result<()> {
    let (conversations, messages) = size.pick((3, 10), (100, 100_000), (1_000, 1_000_000));
    let server = Generated::start(conversations, messages).await?;
    let peers = Peers::with(server.project.clone(), server.org.clone()).await?;
    let case = format!("{conversations} × {}, all of them, no cost", messages / conversations);
    let conditions = NetworkConditions { forgetful: true, ..NetworkConditions::default() };
    let turn = Turn { case: &case, conditions, limit: LONG, ..pull(messages) };
    peers.turn(notes, Client::Fieldpost, &turn).await?;
    Ok(())
}

fn pull(expected: u64) -> Turn<'static> {
    Turn {
        case: "",
        round: 0,
        task: "pull",
        expected,
        queued: 0,
        conditions: NetworkConditions::default(),
        limit: Turn::LIMIT,
    }
}

/// For a hundred thousand messages these two would take longer than everything else together.
fn bears(client: Client, expected: u64) -> bool {
    expected <= MANY || !matches!(client, Client::Seed | Client::Rxdb(100))
}

/// A sync when nothing is new.
pub(crate) fn again(size: Size, notes: &mut Notes) -> Result<()> {
    let clients = clients(size)?;
    runtime()?.block_on(async {
        for (conversations, messages) in
            size.pick(vec![(1, 100)], vec![(10, 100), (100, 100)], vec![(10, 100), (200, 100), (1_000, 100)])
        {
            let peers = Peers::new(Project::tenant(conversations, messages)?).await?;
            let here = conversations * messages;
            let rounds = size.pick(1, 2, if here > MANY { 2 } else { 3 });
            let bear = clients.iter().copied().filter(|client| bears(*client, here)).collect::<Vec<_>>();
            nothing_new(notes, &peers, (&format!("{here} messages"), false), rounds, &bear).await?;
        }
        let (conversations, messages) = size.pick((2, 101), (100, 1_000), (1_000, 1_000));
        let peers = Peers::new(Project::kept_tenant(conversations, messages)?).await?;
        let case = format!("{} messages", conversations * messages);
        nothing_new(notes, &peers, (&case, true), size.pick(1, 2, 3), &[Client::Fieldpost]).await?;
        nothing_new_with_everything(size, notes).await
    })
}

/// The device already has everything from the server: a million messages.
async fn nothing_new_with_everything(size: Size, notes: &mut Notes) -> Result<()> {
    let (conversations, messages) = size.pick((3, 10), (100, 100_000), (1_000, 1_000_000));
    let server = Generated::start(conversations, messages).await?;
    let peers = Peers::with(server.project.clone(), server.org.clone()).await?;
    let case = format!("{messages} messages, all of them on the device, no cost");
    nothing_new(notes, &peers, (&case, true), 1, &[Client::Fieldpost]).await
}

/// `forgetful`: the preparation is too large to be recorded for the next client.
async fn nothing_new(
    notes: &mut Notes,
    peers: &Peers,
    (case, forgetful): (&str, bool),
    rounds: u32,
    clients: &[Client],
) -> Result<()> {
    let conditions = NetworkConditions { forgetful, ..NetworkConditions::default() };
    for round in notes.rounds(rounds) {
        let turn = Turn { case, round, task: "again", conditions, ..pull(0) };
        for client in in_turn(clients, round) {
            peers.turn(notes, client, &turn).await?;
        }
    }
    Ok(())
}

/// The order changes from round to round.
pub(crate) fn in_turn(clients: &[Client], round: u32) -> Vec<Client> {
    let mut clients = clients.to_vec();
    let by = round as usize % clients.len().max(1);
    clients.rotate_left(by);
    clients
}

pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
