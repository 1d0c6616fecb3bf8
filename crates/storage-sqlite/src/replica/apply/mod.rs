//! The rows of a page.
//!
//! A page has up to 2,500 rows, and the device is a phone with a slow disk. So nothing here asks the database about one row:
//!
//! * Rows are upserted hundreds at a time by a prepared statement whose `ON CONFLICT … WHERE` compares versions, so an older
//!   row changes nothing and costs one look at an index. How many changed tells what was stale.
//! * What decides about a row before that (is its conversation here, was it deleted or revoked) is asked once for the whole
//!   page, about the few conversations it names.
//! * Names are not written with the rows but found when they are read (`rows`), and what derives from messages (unread,
//!   newest, ranges) is rewritten afterwards for the set of conversations that were touched.
//!
//! The local echo of a message needs no case of its own: its version is below every one of the server's, so the row of the
//! server replaces it under the same id. The mutation stays in the outbox until it has its own answer.
//!
//! Grants come first, since the conversations that they admit are in the same page; revocations come last.

mod access;
pub(crate) mod conversations;
mod covered;
mod markers;
pub(crate) mod messages;
pub(crate) mod news;
pub(crate) mod people;
mod tombstones;
mod unreadable;

use crate::{
    error::Res,
    replica::position::Standing,
    sql::{IdSet, Tx},
};
use fieldpost_domain::{Access, Changes, ConversationId, TombstoneOf};
use fieldpost_storage::ApplyReport;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// What applying rows did. The caller refreshes what derives from the touched conversations.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) report: ApplyReport,
    pub(crate) touched: BTreeSet<Uuid>,
}

impl Applied {
    fn count(&mut self, rows: usize, changed: u64) {
        self.report.applied += changed;
        self.report.stale += (rows as u64).saturating_sub(changed);
    }

    fn purged(&mut self, conversation: Uuid) {
        self.touched.remove(&conversation);
        self.report.purged.push(ConversationId::from_uuid(conversation));
    }
}

pub(crate) async fn rows(tx: &Tx, standing: &Standing, changes: Changes) -> Res<Applied> {
    let mut applied = Applied::default();
    let (grants, others): (Vec<_>, Vec<_>) =
        changes.access.into_iter().partition(|change| change.access == Access::Grant);
    access::grant(tx, standing, &grants, &mut applied).await?;
    let changed = people::put(tx, standing, &changes.people).await?;
    applied.count(changes.people.len(), changed);
    conversations::put(tx, standing, changes.conversations, &mut applied).await?;
    messages::put(tx, standing, changes.messages, &mut applied).await?;
    markers::put(tx, standing, changes.read_markers, &mut applied).await?;
    let (single, whole): (Vec<_>, Vec<_>) =
        changes.tombstones.into_iter().partition(|tombstone| matches!(tombstone.of, TombstoneOf::Message { .. }));
    tombstones::of_messages(tx, standing, &single, &mut applied).await?;
    tombstones::of_conversations(tx, standing, &whole, &mut applied).await?;
    covered::join(tx, &changes.covered, &mut applied).await?;
    access::revoke(tx, standing, others, &mut applied).await?;
    unreadable::keep(tx, changes.unreadable, &mut applied).await?;
    Ok(applied)
}

/// Conversations whose rows may not come (back): those the person may not see, and with which version others were deleted.
#[derive(Debug, Default)]
struct Barred {
    revoked: HashSet<Uuid>,
    deleted: HashMap<Uuid, i64>,
}

impl Barred {
    async fn among(tx: &Tx, ids: &IdSet) -> Res<Self> {
        let rows = tx.all(REVOKED, vec![ids.bind()]).await?;
        let revoked = rows.iter().map(|row| row.id(0)).collect::<Res<_>>()?;
        Ok(Self { revoked, deleted: deleted(tx, ids).await? })
    }

    /// Whether it left for a reason that is known.
    fn has_left(&self, conversation: Uuid) -> bool {
        self.revoked.contains(&conversation) || self.deleted.contains_key(&conversation)
    }

    fn bars(&self, conversation: Uuid, version: i64) -> bool {
        self.revoked.contains(&conversation)
            || self.deleted.get(&conversation).is_some_and(|deleted| *deleted >= version)
    }
}

const REVOKED: &str = "
SELECT conversation_id FROM access WHERE revoked AND conversation_id IN (SELECT unhex(value) FROM json_each(?))";

/// Which of these were deleted for good, and with which version.
async fn deleted(tx: &Tx, ids: &IdSet) -> Res<HashMap<Uuid, i64>> {
    let sql = "SELECT id, version FROM tombstones WHERE id IN (SELECT unhex(value) FROM json_each(?))";
    tx.all(sql, vec![ids.bind()]).await?.iter().map(|row| Ok((row.id(0)?, row.get(1)?))).collect()
}
