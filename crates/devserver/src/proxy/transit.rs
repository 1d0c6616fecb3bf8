//! What a line carries, and what the server at its end refuses, for every exchange.

use super::{frame::Message, gateway, line::Way, shared::Shared};
use serde_json::Value;
use std::time::Duration;

/// The bytes of a packet.
const PACKET: usize = 1400;

/// After which the sender of a lost packet sends it again.
const RESEND: Duration = Duration::from_secs(1);

/// How many rows a page has if the caller does not say.
const PAGE_ROWS: u64 = 2500;

impl Shared {
    /// Waits until a packet has gone over the line.
    async fn carry(&self, way: Way, bytes: usize) {
        let (takes, lost) = {
            let mut chance = self.chance();
            let Some(speed) = chance.line.bytes_per_second else { return };
            let takes = Duration::from_secs_f64(bytes as f64 / f64::from(speed.max(1)));
            let of_hundred = u64::from(chance.line.lost_of_hundred);
            (takes, chance.random.below(100) < of_hundred)
        };
        let mut at = self.line.after(way, takes);
        if lost {
            // The others overtake it meanwhile; it takes its time on the line once more.
            at = self.line.after(way, takes) + RESEND;
        }
        tokio::time::sleep_until(at).await;
    }

    /// Waits until a whole message has gone over the line.
    pub(super) async fn carry_whole(&self, way: Way, message: &Message) {
        for packet in Self::packets(message) {
            self.carry(way, packet.len()).await;
        }
    }

    pub(super) fn packets(message: &Message) -> impl Iterator<Item = &[u8]> {
        message.bytes.chunks(PACKET)
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.chance().line.round_trip
    }

    pub(super) fn handshake(&self) -> Duration {
        self.chance().line.handshake
    }

    pub(super) fn note_refused_size(&self) {
        self.chance().tally.refused_sizes += 1;
    }

    pub(super) async fn carry_packet(&self, way: Way, packet: &[u8]) {
        self.carry(way, packet.len()).await;
    }

    /// The answer to a request that is too much for the server.
    pub(super) fn refused_size(&self, request: &Message) -> Option<Vec<u8>> {
        let line = self.chance().line;
        if line.most_mutations.is_none() && line.most_rows.is_none() {
            return None;
        }
        let body: Value = serde_json::from_slice(request.body()).ok()?;
        let is_too_much = match body.get("p_mutations").and_then(Value::as_array) {
            Some(mutations) => line.most_mutations.is_some_and(|most| mutations.len() > most),
            None => {
                let rows = body.get("p_limit").and_then(Value::as_u64).unwrap_or(PAGE_ROWS);
                body.get("p_protocol").is_some() && line.most_rows.is_some_and(|most| rows > most)
            }
        };
        is_too_much.then(gateway::statement_timeout)
    }
}
