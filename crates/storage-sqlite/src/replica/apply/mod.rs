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
mod applied;
pub(crate) mod conversations;
mod covered;
pub(crate) mod excluded;
mod markers;
pub(crate) mod messages;
pub(crate) mod news;
pub(crate) mod people;
pub(crate) mod reactions;
pub(crate) mod settings;
pub(crate) mod tombstones;
mod unreadable;

pub(crate) use applied::Applied;

use crate::{derived, error::Res, replica::context::PageContext, sql::Tx};
use fieldpost_domain::{Access, Changes, TombstoneOf};

/// Applies rows, and writes once for each conversation what that changes in it.
pub(crate) async fn rows(tx: &Tx, context: &mut PageContext, changes: Changes) -> Res<Applied> {
    let mut applied = Applied::default();
    let (grants, others): (Vec<_>, Vec<_>) =
        changes.access.into_iter().partition(|change| change.access == Access::Grant);
    access::grant(tx, context, &grants, &mut applied).await?;
    let changed = people::put(tx, context, &changes.people).await?;
    applied.count(changes.people.len(), changed);
    conversations::put(tx, context, changes.conversations, &mut applied).await?;
    messages::put(tx, context, changes.messages, &mut applied).await?;
    reactions::put(tx, context, changes.reactions, &mut applied).await?;
    markers::put(tx, context, changes.read_markers, &mut applied).await?;
    settings::put(tx, context, changes.settings, &mut applied).await?;
    let (single, whole): (Vec<_>, Vec<_>) =
        changes.tombstones.into_iter().partition(|tombstone| matches!(tombstone.of, TombstoneOf::Message { .. }));
    tombstones::of_messages(tx, context, &single, &mut applied).await?;
    tombstones::of_conversations(tx, context, &whole, &mut applied).await?;
    covered::join(tx, context, &changes.covered, &mut applied).await?;
    access::revoke(tx, context, others, &mut applied).await?;
    unreadable::keep(tx, context, changes.unreadable, &mut applied).await?;
    let (told, news) = (std::mem::take(&mut applied.told), std::mem::take(&mut applied.news));
    derived::tell(tx, &applied.touched, told, news).await?;
    Ok(applied)
}
