//! Read markers and receipts of a page: the larger position wins, always.

use super::{applied::Applied, barred::Barred};
use crate::{
    error::Res,
    replica::position::Standing,
    resolve,
    sql::{IdSet, Insert, Tx, id, seq},
};
use fieldpost_domain::{ConversationId, ReadMarker};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn put(tx: &Tx, standing: &Standing, markers: Vec<ReadMarker>, applied: &mut Applied) -> Res<()> {
    if markers.is_empty() {
        return Ok(());
    }
    let all = markers.len();
    let markers = welcome(tx, markers).await?;
    let changed = UPSERT
        .run(tx, &markers, |marker, values| {
            values.extend([
                id(marker.conversation_id.as_uuid()),
                id(marker.person_id.as_uuid()),
                seq(marker.delivered_seq),
                seq(marker.read_seq),
                standing.epoch.bind(marker.version),
            ]);
        })
        .await?;
    applied.count(all, changed);
    applied.touched.extend(markers.iter().map(|marker| marker.conversation_id.as_uuid()));
    Ok(())
}

/// Without those of conversations that have left, under canonical ids.
async fn welcome(tx: &Tx, mut markers: Vec<ReadMarker>) -> Res<Vec<ReadMarker>> {
    let aliases = resolve::aliases(tx).await?;
    for marker in &mut markers {
        if let Some(canonical) = aliases.get(&marker.conversation_id.as_uuid()) {
            marker.conversation_id = ConversationId::from_uuid(*canonical);
        }
    }
    let ids: BTreeSet<Uuid> = markers.iter().map(|marker| marker.conversation_id.as_uuid()).collect();
    let ids = IdSet::of(ids);
    let barred = Barred::among(tx, &ids).await?;
    let absent = resolve::absent(tx, &ids).await?;
    markers.retain(|marker| {
        let conversation = marker.conversation_id.as_uuid();
        !absent.contains(&conversation) || !barred.has_left(conversation)
    });
    Ok(markers)
}

const UPSERT: Insert = Insert {
    head: "INSERT INTO read_markers (conversation_id, person_id, delivered_seq, read_seq, version) VALUES",
    columns: 5,
    tail: "ON CONFLICT DO UPDATE SET delivered_seq = max(delivered_seq, excluded.delivered_seq),
            read_seq = max(read_seq, excluded.read_seq), version = max(version, excluded.version)
        WHERE excluded.delivered_seq > delivered_seq OR excluded.read_seq > read_seq",
};
