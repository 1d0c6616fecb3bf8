//! What came into sight, and what left it.

use super::{applied::Applied, unreadable};
use crate::{
    error::Res,
    mutations::park,
    replica::position::Standing,
    sql::{Tx, id, int},
};
use fieldpost_domain::{Access, AccessChange, RefusalCode, UnreadableRow};

pub(super) async fn grant(tx: &Tx, standing: &Standing, grants: &[AccessChange], applied: &mut Applied) -> Res<()> {
    for change in grants {
        let newer = note(tx, standing, change, false).await?;
        applied.count(1, newer);
    }
    Ok(())
}

pub(super) async fn revoke(tx: &Tx, standing: &Standing, others: Vec<AccessChange>, applied: &mut Applied) -> Res<()> {
    for change in others {
        if matches!(change.access, Access::Unknown(_)) {
            unreadable::keep(tx, vec![unknown(&change)], applied).await?;
            continue;
        }
        let newer = note(tx, standing, &change, true).await?;
        applied.count(1, newer);
        let conversation = change.conversation_id.as_uuid();
        if newer > 0 && park::purge(tx, conversation, &RefusalCode::AccessLost).await? {
            applied.purged(conversation);
        }
    }
    Ok(())
}

fn unknown(change: &AccessChange) -> UnreadableRow {
    UnreadableRow {
        list: "access".to_owned(),
        payload: serde_json::to_string(change).unwrap_or_default(),
        reason: "an unknown kind of access".to_owned(),
    }
}

/// Remembers a state of access; 0 when a newer one is known.
async fn note(tx: &Tx, standing: &Standing, change: &AccessChange, revoked: bool) -> Res<u64> {
    let values = vec![id(change.conversation_id.as_uuid()), int(revoked.into()), standing.epoch.bind(change.version)];
    tx.run(NOTE, values).await
}

const NOTE: &str = "
INSERT INTO access (conversation_id, revoked, version) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET revoked = excluded.revoked, version = excluded.version WHERE excluded.version > version";
