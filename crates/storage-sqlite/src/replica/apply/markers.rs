//! Read markers and receipts of a page: the larger position wins, always.
//!
//! SQL by hand: sets of rows (`apply`).

use super::{applied::Applied, excluded::Excluded};
use crate::{
    entity::read_markers::{Column as R, Entity},
    error::Res,
    replica::context::PageContext,
    resolve,
    sql::{Field, IdSet, Insert, Tx, id, opt_time, seq},
};
use fieldpost_domain::{ConversationId, ReadMarker};
use std::{collections::BTreeSet, sync::LazyLock};
use uuid::Uuid;

pub(super) async fn put(tx: &Tx, context: &PageContext, markers: Vec<ReadMarker>, applied: &mut Applied) -> Res<()> {
    if markers.is_empty() {
        return Ok(());
    }
    let all = markers.len();
    let markers = welcome(tx, context, markers).await?;
    let changed = UPSERT.run(tx, &markers, context).await?;
    applied.count(all, changed);
    applied.touched.extend(markers.iter().map(|marker| marker.conversation_id.as_uuid()));
    Ok(())
}

/// Without those of conversations that have left, under canonical ids.
async fn welcome(tx: &Tx, context: &PageContext, mut markers: Vec<ReadMarker>) -> Res<Vec<ReadMarker>> {
    for marker in &mut markers {
        let canonical = context.aliases.canonical(marker.conversation_id.as_uuid());
        marker.conversation_id = ConversationId::from_uuid(canonical);
    }
    let ids: BTreeSet<Uuid> = markers.iter().map(|marker| marker.conversation_id.as_uuid()).collect();
    let ids = IdSet::of(ids);
    let absent = resolve::absent(tx, &ids).await?;
    if !absent.is_empty() {
        let excluded = Excluded::among(tx, &ids).await?;
        markers.retain(|marker| {
            let conversation = marker.conversation_id.as_uuid();
            !absent.contains(&conversation) || !excluded.has_left(conversation)
        });
    }
    Ok(markers)
}

const COLUMNS: [Field<Entity, ReadMarker, PageContext>; 7] = [
    (R::ConversationId, |marker, _| id(marker.conversation_id.as_uuid())),
    (R::PersonId, |marker, _| id(marker.person_id.as_uuid())),
    (R::DeliveredSeq, |marker, _| seq(marker.delivered_seq)),
    (R::ReadSeq, |marker, _| seq(marker.read_seq)),
    (R::Version, |marker, context| context.epoch.bind(marker.version)),
    (R::DeliveredAt, |marker, _| opt_time(marker.delivered_at)),
    (R::ReadAt, |marker, _| opt_time(marker.read_at)),
];

static UPSERT: LazyLock<Insert<ReadMarker, PageContext>> = LazyLock::new(|| {
    Insert::into::<Entity>(
        &COLUMNS,
        // A time is that of its position. A newer row without it has lost it: whose marker it is was erased.
        "ON CONFLICT DO UPDATE SET delivered_seq = max(delivered_seq, excluded.delivered_seq),
            read_seq = max(read_seq, excluded.read_seq), version = max(version, excluded.version),
            delivered_at = CASE WHEN excluded.delivered_seq > delivered_seq THEN excluded.delivered_at
                WHEN excluded.delivered_seq < delivered_seq THEN delivered_at
                WHEN excluded.version > version THEN excluded.delivered_at ELSE coalesce(delivered_at, excluded.delivered_at) END,
            read_at = CASE WHEN excluded.read_seq > read_seq THEN excluded.read_at
                WHEN excluded.read_seq < read_seq THEN read_at
                WHEN excluded.version > version THEN excluded.read_at ELSE coalesce(read_at, excluded.read_at) END
        WHERE excluded.delivered_seq > delivered_seq OR excluded.read_seq > read_seq
            OR (excluded.delivered_seq = delivered_seq AND delivered_at IS NOT excluded.delivered_at
                AND (delivered_at IS NULL OR excluded.version > version))
            OR (excluded.read_seq = read_seq AND read_at IS NOT excluded.read_at AND (read_at IS NULL OR excluded.version > version))",
    )
});
