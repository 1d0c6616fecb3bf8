//! Parts of threads of which a page has brought all that may be seen: what a policy of the project hides in them is no gap.

use super::applied::Applied;
use crate::{
    error::Res,
    ranges::{self, RangeSet},
    replica::context::PageContext,
    sql::{IdSet, Tx},
};
use fieldpost_domain::{Covered, SeqRange};
use uuid::Uuid;

/// Takes in those that the recent range touches, or with which a thread begins. Any other stays missing until history tells it:
/// the recent range must not jump over a hole.
pub(super) async fn join(tx: &Tx, context: &PageContext, covered: &[Covered], applied: &mut Applied) -> Res<()> {
    if covered.is_empty() {
        return Ok(());
    }
    let part = |part: &Covered| (context.aliases.canonical(part.conversation_id.as_uuid()), part.range);
    // One after the other: each may be what the next one touches.
    for (conversation, range) in covered.iter().map(part).filter(|(_, range)| range.from <= range.to) {
        join_one(tx, conversation, range).await?;
        applied.touched.insert(conversation);
    }
    Ok(())
}

async fn join_one(tx: &Tx, conversation: Uuid, range: SeqRange) -> Res<()> {
    ranges::refresh(tx, &IdSet::of([conversation])).await?;
    ranges::join(tx, &RangeSet::of(&[(conversation, range)])).await
}
