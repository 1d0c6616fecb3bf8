//! Opening the direct conversation with a medic.

use crate::{
    conversations::by_id,
    derived,
    error::{Fault, Res},
    mutations::record,
    resolve::{self, VIEWER},
    sql::{Tx, id, int, time},
    version::UNTOLD,
};
use fieldpost_domain::{ConversationId, Intent, Mutation, MutationId, OpenDirect, OrgId};
use fieldpost_storage::{ConversationSummary, NewDirect, StorageErrorKind};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn open_direct(tx: &Tx, mutation: MutationId, new: &NewDirect) -> Res<ConversationSummary> {
    let conversation = resolve::canonical(tx, new.id).await?;
    if let Some(here) = by_id(tx, conversation).await? {
        return Ok(here);
    }
    let (org, opener) = here(tx, new).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotSynced))?;
    if let Some(there) = with_medic(tx, new, org).await? {
        return opened(tx, there).await;
    }
    let intent = Intent::OpenDirect(OpenDirect {
        conversation_id: ConversationId::from_uuid(conversation),
        medic_id: Some(new.medic_id),
        org_id: Some(OrgId::from_uuid(org)),
    });
    record::record(tx, &Mutation { id: mutation, intent }, None, new.at).await?;
    let medic = id(new.medic_id.as_uuid());
    tx.run(INSERT, vec![id(conversation), id(org), medic, id(opener), time(new.at), time(new.at), int(UNTOLD)]).await?;
    derived::refresh(tx, &BTreeSet::from([conversation])).await?;
    opened(tx, conversation).await
}

const INSERT: &str = "
INSERT INTO conversations (id, org_id, type, medic_id, created_by, created_at, updated_at, version)
VALUES (?, ?, 'direct', ?, ?, ?, ?, ?)";

/// In which org, and who opens it; none while that is not known.
async fn here(tx: &Tx, new: &NewDirect) -> Res<Option<(Uuid, Uuid)>> {
    let sql = format!(
        "SELECT coalesce(
            (SELECT p.org_id FROM people AS p WHERE p.medic_id = ? ORDER BY p.removed, p.id, p.org_id LIMIT 1),
            (SELECT p.org_id FROM people AS p WHERE p.id = (SELECT me_id FROM sync_state WHERE only = 1)
                ORDER BY p.removed, p.org_id LIMIT 1)), {VIEWER}"
    );
    let row = tx.only(&sql, vec![id(new.medic_id.as_uuid())]).await?;
    Ok(row.opt_id(0)?.zip(row.opt_id(1)?))
}

async fn with_medic(tx: &Tx, new: &NewDirect, org: Uuid) -> Res<Option<Uuid>> {
    let sql = "SELECT id FROM conversations WHERE medic_id = ? AND org_id = ? AND type = 'direct' ORDER BY id LIMIT 1";
    let row = tx.one(sql, vec![id(new.medic_id.as_uuid()), id(org)]).await?;
    row.map(|row| row.id(0)).transpose()
}

async fn opened(tx: &Tx, conversation: Uuid) -> Res<ConversationSummary> {
    by_id(tx, conversation).await?.ok_or_else(|| Fault::corrupt("a conversation that was just written is not here"))
}
