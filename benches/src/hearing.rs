//! From `send()` on one phone until the server has acknowledged it, and until it is on the screen of another one, with live hints.
//! (Without them the timer brings it, by default within 30 seconds.)
//!
//! Both phones talk to a devserver on loopback, each over a line of its own that answers requests later; a hint takes no longer
//! there, so half a round trip is to be added to what the other one sees. *Cold*: the sender's connections for requests have just
//! been closed, and a new one takes two round trips more, for TCP and TLS. (No TLS is spoken, and no name is looked up.)
//!
//! Beside it supabase-js, without a file, an outbox and an order, which calls the same functions and listens to the same topic:
//! what the transport itself takes. Each pair has a server of its own, so that one is idle while the other is measured.

mod phones;
mod supabase_js;

use crate::{Notes, Reading, Size, notes::percentile, sending::Times};
use anyhow::Result;
use fieldpost_devserver::{DevServer, Endpoint, FaultProxy, LineConditions, Tally};
use phones::Phones;
use std::time::Duration;
use supabase_js::SupabaseJs;
use tokio::time::sleep;

/// Two people: Robin, an admin, sends to Ada.
trait Pair: Sized {
    const SUBJECT: &str;

    /// Both are signed in, have everything, and listen.
    async fn open(place: &Place) -> Result<Self>;

    /// Sends, and waits until both know.
    async fn send(&mut self, text: &str) -> Result<Sent>;
}

/// The times from the call until the sender knows that the server has it, and until the other one has it.
struct Sent {
    acknowledged: Reading,
    seen: Reading,
}

/// A server, and the lines of both to it.
struct Place {
    server: DevServer,
    here: FaultProxy,
    there: FaultProxy,
}

#[derive(Clone, Copy)]
enum Connection {
    Warm,
    Cold,
}

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let beside = supabase_js::is_installed(size)?;
    runtime.block_on(async {
        for milliseconds in [0, 50, 200] {
            on_a_line(size, notes, Duration::from_millis(milliseconds), beside).await?;
        }
        Ok(())
    })
}

async fn on_a_line(size: Size, notes: &mut Notes, round_trip: Duration, beside: bool) -> Result<()> {
    let mut ours = Subject::<Phones>::open(round_trip).await?;
    let mut theirs = if beside { Some(Subject::<SupabaseJs>::open(round_trip).await?) } else { None };
    for round in notes.rounds(size.pick(1, 2, 3)) {
        for (connection, sends) in [(Connection::Warm, size.pick(2, 20, 30)), (Connection::Cold, size.pick(1, 6, 10))] {
            ours.send_many(notes, round, connection, sends).await?;
            if let Some(theirs) = &mut theirs {
                theirs.send_many(notes, round, connection, sends).await?;
            }
        }
    }
    Ok(())
}

/// Two people and where they are.
struct Subject<P> {
    pair: P,
    place: Place,
    round_trip: Duration,
}

impl<P: Pair> Subject<P> {
    async fn open(round_trip: Duration) -> Result<Self> {
        let server = DevServer::builder().start().await?;
        let (here, there) = (FaultProxy::before(&server).await?, FaultProxy::before(&server).await?);
        let place = Place { server, here, there };
        let pair = P::open(&place).await?;
        let line = LineConditions { round_trip, handshake: 2 * round_trip, ..LineConditions::default() };
        place.here.line(line);
        place.there.line(line);
        Ok(Self { pair, place, round_trip })
    }

    async fn send_many(&mut self, notes: &mut Notes, round: u32, connection: Connection, sends: u32) -> Result<()> {
        let (mut acknowledged, mut seen, mut requests) = (Times::default(), Times::default(), Vec::new());
        for number in 0..=sends {
            if matches!(connection, Connection::Cold) {
                self.place.here.hang_up();
                // Until the phone has noticed.
                sleep(Duration::from_millis(20)).await;
            }
            let before = self.place.here.tally();
            let sent = self.pair.send(&format!("note {round}.{number}")).await?;
            // What it has caused is over before the next one.
            sleep(Duration::from_millis(50) + self.round_trip).await;
            if number == 0 {
                // The first one opens what a phone in use has open.
                continue;
            }
            acknowledged.note(sent.acknowledged);
            seen.note(sent.seen);
            requests.push(Asked::between(&before, &self.place.here.tally()));
        }
        let case = |what| format!("{}{}, {what}", name(self.round_trip), connection.name());
        acknowledged.write_with(notes, &case("acknowledged"), P::SUBJECT, round, requests_of(&requests))?;
        seen.write(notes, &case("on the other's screen"), P::SUBJECT, round)
    }
}

impl Connection {
    const fn name(self) -> &'static str {
        match self {
            Self::Warm => "",
            Self::Cold => ", cold",
        }
    }
}

/// What the sender's side has asked for one message, until nothing follows from it.
struct Asked {
    requests: u64,
    pushes: u64,
    pulls: u64,
}

impl Asked {
    fn between(before: &Tally, after: &Tally) -> Self {
        let of = |endpoint| {
            let [before, after] = [before, after].map(|tally| tally.endpoints.get(&endpoint).copied().unwrap_or(0));
            after - before
        };
        let requests = after.requests - before.requests;
        Self { requests, pushes: of(Endpoint::Push), pulls: of(Endpoint::Pull) }
    }
}

/// The requests for most messages, and how many pushes and pulls there were for one on average.
fn requests_of(asked: &[Asked]) -> [(&'static str, f64); 3] {
    let mut requests: Vec<_> = asked.iter().map(|asked| asked.requests as f64).collect();
    requests.sort_by(f64::total_cmp);
    let average = |of: fn(&Asked) -> u64| asked.iter().map(of).sum::<u64>() as f64 / asked.len().max(1) as f64;
    [
        ("requests", percentile(&requests, 0.5)),
        ("pushes", average(|asked| asked.pushes)),
        ("pulls", average(|asked| asked.pulls)),
    ]
}

fn name(round_trip: Duration) -> String {
    if round_trip.is_zero() { "loopback".to_owned() } else { format!("{} ms", round_trip.as_millis()) }
}
