//! Recording the server's answers to a batch.
//!
//! Answers are taken in their order, because one can change what the next is about: an open that is answered with another id
//! moves the lane of the messages after it. Nearly all of them, though, are plain acknowledgements of messages in a lane
//! whose id stands; runs of those are collected and written with a handful of statements ([`Acks`]), so that a batch of 500
//! does not cost 500 trips to SQLite.
//!
//! An answer never takes a newer row back: when the message has already come by a pull, or has been deleted since, the
//! version of the row decides, as it does for a page.

mod acks;
mod single;

use crate::{
    derived,
    error::{Fault, Res},
    overlay,
    replica::position::Standing,
    row::Row,
    sql::{IdSet, Tx},
};
use acks::Acks;
use fieldpost_domain::{Acknowledgement, PushOutcome, PushResult};
use fieldpost_storage::SettleReport;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// An entry of the outbox, as much of it as settling needs.
#[derive(Debug, Clone)]
struct Entry {
    id: Uuid,
    opens: bool,
    keeps: bool,
    lane: Uuid,
    message: Option<Uuid>,
    target: Option<Uuid>,
    failed: bool,
}

/// What settling one batch has gathered so far.
struct Settling<'a> {
    tx: &'a Tx,
    standing: Standing,
    acks: Acks,
    touched: BTreeSet<Uuid>,
    /// The messages that the entries change.
    changed: BTreeSet<Uuid>,
    report: SettleReport,
}

pub(super) async fn settle(tx: &Tx, results: Vec<PushResult>) -> Res<SettleReport> {
    let mut entries = entries(tx, &results).await?;
    let changed = entries.values().filter_map(|entry| entry.target).collect();
    let standing = Standing::read(tx).await?;
    let (touched, report) = (BTreeSet::new(), SettleReport::default());
    let mut settling = Settling { tx, standing, acks: Acks::default(), touched, changed, report };
    for result in results {
        // Removed, so that a second answer to the same mutation is one to nothing.
        match entries.remove(&result.mutation_id.as_uuid()) {
            Some(entry) => settling.take(entry, result.outcome).await?,
            None => settling.report.unknown += 1,
        }
    }
    settling.flush().await?;
    overlay::rebuild(tx, settling.changed).await?;
    derived::refresh(tx, &settling.touched).await?;
    Ok(settling.report)
}

impl Settling<'_> {
    async fn take(&mut self, mut entry: Entry, outcome: PushOutcome) -> Res<()> {
        self.follow(&mut entry);
        match outcome {
            PushOutcome::Acknowledged(Acknowledgement::Sent(ack)) if entry.lane == ack.conversation_id.as_uuid() => {
                self.report.acknowledged += 1;
                self.touched.insert(entry.lane);
                self.acks.push(entry.id, self.standing.epoch, &ack);
                Ok(())
            }
            PushOutcome::Retry(code) => {
                if !entry.failed {
                    self.report.retrying += 1;
                    self.acks.retry(entry.id, code);
                }
                Ok(())
            }
            PushOutcome::Acknowledged(what) => {
                self.flush().await?;
                self.acknowledge(&entry, what).await
            }
            PushOutcome::Rejected(refusal) => {
                self.flush().await?;
                self.reject(&entry, &refusal).await
            }
        }
    }

    /// The lane may have been re-keyed by an answer before this one.
    fn follow(&self, entry: &mut Entry) {
        for (from, to) in &self.report.rekeyed {
            if entry.lane == from.as_uuid() {
                entry.lane = to.as_uuid();
            }
        }
    }

    /// Writes what has been collected.
    async fn flush(&mut self) -> Res<()> {
        std::mem::take(&mut self.acks).write(self.tx).await
    }
}

async fn entries(tx: &Tx, results: &[PushResult]) -> Res<HashMap<Uuid, Entry>> {
    let ids = IdSet::of(results.iter().map(|result| result.mutation_id.as_uuid()));
    let sql = "SELECT id, conversation_id, message_id, failed_code IS NOT NULL, opens, keeps, target_id FROM outbox
        WHERE id IN (SELECT unhex(value) FROM json_each(?))";
    tx.all(sql, vec![ids.bind()]).await?.iter().map(entry).collect()
}

fn entry(row: &Row) -> Res<(Uuid, Entry)> {
    let id = row.id(0)?;
    let is = |column| Ok::<_, Fault>(row.get::<i64>(column)? != 0);
    Ok((
        id,
        Entry {
            id,
            lane: row.id(1)?,
            message: row.opt_id(2)?,
            target: row.opt_id(6)?,
            failed: is(3)?,
            opens: is(4)?,
            keeps: is(5)?,
        },
    ))
}
