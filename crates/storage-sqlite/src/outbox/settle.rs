//! Recording the server's answers to a batch.
//!
//! Answers are taken in their order, because one can change what the next is about: an open that is answered with another id
//! moves the lane of the messages after it. Nearly all of them, though, are plain acknowledgements of messages in a lane
//! whose id stands; runs of those are collected and written with a handful of statements ([`Acks`]), so that a batch of 500
//! does not cost 500 trips to SQLite.
//!
//! An answer never takes a newer row back: when the message has already come by a pull, or has been deleted since, the
//! version of the row decides, as it does for a page.

pub(crate) mod acks;
mod single;

use crate::{
    derived,
    entity::{
        conversations, outbox,
        value::{AnyText, Id},
    },
    error::Res,
    hot::{Plan, hot},
    mutations::{overlay, settings},
    replica::{context::PageContext, position},
    row::Row,
    sql::{IdSet, Tx, among, written},
};
use acks::Acks;
use fieldpost_domain::{Acknowledgement, ConversationId, Cursor, MutationKind, PushOutcome, PushResult};
use fieldpost_storage::{ChangeSet, SettleReport};
use sea_orm::{ColumnTrait, DerivePartialModel, EntityTrait, PartialModelTrait, QueryFilter, QuerySelect, QueryTrait};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// An entry of the outbox, as much of it as settling needs.
#[derive(Debug, Clone)]
struct Entry {
    id: Uuid,
    opens: bool,
    keeps: bool,
    counts: bool,
    /// It changes settings.
    sets: bool,
    lane: Uuid,
    message: Option<Uuid>,
    target: Option<Uuid>,
    failed: bool,
}

/// What settling one batch has gathered so far.
struct Settling<'a> {
    tx: &'a Tx,
    context: PageContext,
    acks: Acks,
    touched: BTreeSet<Uuid>,
    /// The messages that the entries change.
    changed: BTreeSet<Uuid>,
    /// The conversations of which they change settings.
    set: BTreeSet<Uuid>,
    report: SettleReport,
}

pub(super) async fn settle(tx: &Tx, results: Vec<PushResult>) -> Res<SettleReport> {
    let mut entries = entries(tx, &results).await?;
    let lanes = entries.values().map(|entry| ConversationId::from_uuid(entry.lane));
    tx.changed(ChangeSet::of(lanes).and_outbox()).await;
    let changed = entries.values().filter_map(|entry| entry.target).collect();
    let set = entries.values().filter(|entry| entry.sets).map(|entry| entry.lane).collect();
    let context = PageContext::read(tx).await?;
    let (touched, report) = (BTreeSet::new(), SettleReport::default());
    let mut settling = Settling { tx, context, acks: Acks::default(), touched, changed, set, report };
    for result in results {
        // Removed, so that a second answer to the same mutation is one to nothing.
        match entries.remove(&result.mutation_id.as_uuid()) {
            Some(entry) => settling.take(entry, result.outcome).await?,
            None => settling.report.unknown += 1,
        }
    }
    settling.flush().await?;
    overlay::rebuild(tx, settling.changed).await?;
    settings::rebuild(tx, &settling.set).await?;
    derived::refresh(tx, &settling.touched).await?;
    Ok(settling.report)
}

/// The same, and where that leads: the answer said that nothing else is new.
pub(super) async fn settle_quiet(tx: &Tx, results: Vec<PushResult>, from: &Cursor, to: &Cursor) -> Res<SettleReport> {
    let report = settle(tx, results.clone()).await?;
    let counted = unread_of(tx, &SettleReport::counted_anew(&results)).await?;
    let moved = counted == 0 && report.has_all_of(&results) && position::go_on(tx, from, to).await?;
    Ok(SettleReport { moved, ..report })
}

/// How many of these conversations have unread messages.
async fn unread_of(tx: &Tx, conversations: &BTreeSet<ConversationId>) -> Res<u64> {
    if conversations.is_empty() {
        return Ok(0);
    }
    let unread = conversations::Entity::find().filter(conversations::Column::UnreadCount.gt(0_i64));
    let unread = unread.filter(conversations::Column::Id.is_in(conversations.iter().map(|id| Id(id.as_uuid()))));
    Ok(tx.find::<conversations::Model>(&unread).await?.len() as u64)
}

impl Settling<'_> {
    async fn take(&mut self, mut entry: Entry, outcome: PushOutcome) -> Res<()> {
        self.follow(&mut entry);
        match outcome {
            PushOutcome::Acknowledged(Acknowledgement::Sent(ack)) if entry.lane == ack.conversation_id.as_uuid() => {
                self.report.acknowledged += 1;
                self.touched.insert(entry.lane);
                self.acks.push(entry.id, self.context.epoch, &ack);
                Ok(())
            }
            PushOutcome::Retry(code) => {
                if !entry.failed {
                    self.report.retry(entry.counts);
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
    let entry = |row: &Row| Ok(Entry::from(row.model::<Sent>()?));
    let entries = tx.all(&ENTRIES, vec![ids.bind()]).await?.iter().map(entry).collect::<Res<Vec<_>>>()?;
    Ok(entries.into_iter().map(|entry| (entry.id, entry)).collect())
}

hot! {
    ENTRIES: "what is answered", Plan::Bounded,
        written(Sent::select_cols(outbox::Entity::find().select_only()).filter(among(outbox::Column::Id)).as_query());
}

/// As it is stored.
#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "outbox::Entity")]
struct Sent {
    id: Id,
    kind: AnyText,
    conversation_id: Id,
    message_id: Option<Id>,
    target_id: Option<Id>,
    failed_code: Option<String>,
    opens: bool,
    keeps: bool,
    counts: bool,
}

impl From<Sent> for Entry {
    fn from(sent: Sent) -> Self {
        Self {
            id: sent.id.0,
            opens: sent.opens,
            keeps: sent.keeps,
            counts: sent.counts,
            sets: sent.kind.0 == MutationKind::SetConversation.as_str(),
            lane: sent.conversation_id.0,
            message: sent.message_id.map(|id| id.0),
            target: sent.target_id.map(|id| id.0),
            failed: sent.failed_code.is_some(),
        }
    }
}
