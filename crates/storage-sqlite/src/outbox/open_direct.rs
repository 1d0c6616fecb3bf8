//! Opening the direct conversation with a medic.

use crate::{
    conversations::by_id,
    derived,
    error::{Fault, Res},
    outbox::record,
    resolve,
    sql::{Tx, id, int, time},
    version::UNTOLD,
};
use fieldpost_domain::{ConversationId, Intent, Mutation, MutationId, OpenDirect};
use fieldpost_storage::{ConversationSummary, NewDirect};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn open_direct(tx: &Tx, mutation: MutationId, new: &NewDirect) -> Res<ConversationSummary> {
    let conversation = resolve::canonical(tx, new.id).await?;
    if let Some(here) = by_id(tx, conversation).await? {
        return Ok(here);
    }
    if let Some(there) = with_medic(tx, new).await? {
        return opened(tx, there).await;
    }
    let intent = Intent::OpenDirect(OpenDirect {
        conversation_id: ConversationId::from_uuid(conversation),
        medic_id: Some(new.medic_id),
        org_id: Some(new.org_id),
    });
    record::record(tx, &Mutation { id: mutation, intent }, None, new.at).await?;
    let (org, medic) = (id(new.org_id.as_uuid()), id(new.medic_id.as_uuid()));
    let by = id(new.opened_by.as_uuid());
    tx.run(INSERT, vec![id(conversation), org, medic, by, time(new.at), time(new.at), int(UNTOLD)]).await?;
    derived::refresh(tx, &BTreeSet::from([conversation])).await?;
    opened(tx, conversation).await
}

const INSERT: &str = "
INSERT INTO conversations (id, org_id, type, medic_id, created_by, created_at, updated_at, version)
VALUES (?, ?, 'direct', ?, ?, ?, ?, ?)";

async fn with_medic(tx: &Tx, new: &NewDirect) -> Res<Option<Uuid>> {
    let sql = "SELECT id FROM conversations WHERE medic_id = ? AND org_id = ? AND type = 'direct' ORDER BY id LIMIT 1";
    let row = tx.one(sql, vec![id(new.medic_id.as_uuid()), id(new.org_id.as_uuid())]).await?;
    row.map(|row| row.id(0)).transpose()
}

async fn opened(tx: &Tx, conversation: Uuid) -> Res<ConversationSummary> {
    by_id(tx, conversation).await?.ok_or_else(|| Fault::corrupt("a conversation that was just written is not here"))
}
