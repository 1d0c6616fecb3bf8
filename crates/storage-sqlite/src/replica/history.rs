//! A page of older messages.
//!
//! SQL by hand: a set of messages, for each page of history and of a first load (`load`).

use crate::{
    derived,
    error::Res,
    hot::{Plan, hot},
    ranges::{self, RangeSet},
    replica::{apply, context::PageContext, marks, position},
    resolve,
    sql::{IdSet, Tx},
};
use fieldpost_domain::{HistoryPage, Seq, SeqRange};
use fieldpost_storage::{ApplyReport, MutationIds, unreadable};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn apply(tx: &Tx, ids: &dyn MutationIds, generation: u64, page: HistoryPage) -> Res<ApplyReport> {
    let mut context = PageContext::beside(tx).await?;
    if position::generation(&context.state) != generation {
        return Err(position::superseded());
    }
    let conversation = context.aliases.canonical(page.conversation_id.as_uuid());
    if !resolve::absent(tx, &IdSet::of([conversation])).await?.is_empty() {
        return Ok(ApplyReport::default());
    }
    let came: Vec<Uuid> = page.changes.messages.iter().map(|message| message.id.as_uuid()).collect();
    let newest = page.changes.messages.iter().map(|message| message.created_at).max();
    let readable = unreadable::messages_of(&page.changes).is_none();
    let mut changes = page.changes;
    changes.conversations.extend(page.conversation);
    let mut applied = apply::rows(tx, &mut context, changes).await?;
    let told = RangeSet::of(&[(conversation, page.range)]);
    if readable {
        applied.report.applied += drop_absent(tx, &told, &came).await?;
    }
    let from = if page.complete { Seq::new(1) } else { page.range.from };
    ranges::cover(tx, &RangeSet::of(&[(conversation, SeqRange { from, to: page.range.to })])).await?;
    applied.touched.insert(conversation);
    derived::refresh(tx, &applied.touched).await?;
    if let Some(at) = newest {
        applied.report.delivered = marks::note_arrived(tx, ids, &context, &BTreeSet::from([conversation]), at).await?;
    }
    Ok(applied.report)
}

/// A range was told whole: a message in it that did not come was deleted for good. Of a page with a message that cannot be
/// read this is not known.
pub(super) async fn drop_absent(tx: &Tx, told: &RangeSet, came: &[Uuid]) -> Res<u64> {
    tx.run(&DROP_ABSENT, vec![told.bind(), IdSet::of(came.iter().copied()).bind()]).await
}

hot! {
    DROP_ABSENT: "what did not come", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS f, value ->> 2 AS t FROM json_each(?))
DELETE FROM messages WHERE pk IN (
    SELECT m.pk FROM told JOIN messages AS m ON m.conversation_id = told.id AND m.seq BETWEEN told.f AND told.t
    WHERE m.id NOT IN (SELECT unhex(value) FROM json_each(?)))";
}
