//! Opening the direct conversation with a medic.
//!
//! SQL by hand: in which org, and by whom, is one question.

use crate::{
    conversations::by_id,
    derived,
    entity::{
        conversations::{self, Column, Entity, Model},
        value::{Id, Micros},
    },
    error::{Fault, Res},
    mutations::record,
    resolve::{self, VIEWER},
    sql::{Tx, id},
    version::UNKNOWN_TO_SERVER,
};
use fieldpost_domain::{ConversationId, ConversationKind, Intent, Mutation, MutationId, OpenDirect, OrgId};
use fieldpost_storage::{ConversationSummary, NewDirect, StorageErrorKind};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
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
    record::record(tx, Mutation { id: mutation, intent }, None, new.at).await?;
    let opened_here = conversations::ActiveModel {
        id: Set(Id(conversation)),
        org_id: Set(Id(org)),
        kind: Set(ConversationKind::Direct.as_str().to_owned()),
        medic_id: Set(Some(Id(new.medic_id.as_uuid()))),
        created_by: Set(Id(opener)),
        created_at: Set(Micros(new.at)),
        updated_at: Set(Micros(new.at)),
        version: Set(UNKNOWN_TO_SERVER),
        ..conversations::ActiveModel::default()
    };
    tx.execute(&Entity::insert(opened_here)).await?;
    derived::refresh(tx, &BTreeSet::from([conversation])).await?;
    opened(tx, conversation).await
}

/// In which org, and who opens it; none while that is not known.
async fn here(tx: &Tx, new: &NewDirect) -> Res<Option<(Uuid, Uuid)>> {
    let sql = format!(
        "SELECT coalesce(
            (SELECT p.org_id FROM people AS p WHERE p.medic_id = ? ORDER BY p.removed, p.id, p.org_id LIMIT 1),
            (SELECT p.org_id FROM people AS p WHERE p.id = (SELECT me_id FROM sync_state WHERE only = 1)
                ORDER BY p.removed, p.org_id LIMIT 1)) AS org, {VIEWER} AS opener"
    );
    let row = tx.only(&sql, vec![id(new.medic_id.as_uuid())]).await?;
    Ok(row.opt_id("org")?.zip(row.opt_id("opener")?))
}

async fn with_medic(tx: &Tx, new: &NewDirect, org: Uuid) -> Res<Option<Uuid>> {
    let with_her = Entity::find()
        .filter(Column::MedicId.eq(Id(new.medic_id.as_uuid())))
        .filter(Column::OrgId.eq(Id(org)))
        .filter(Column::Kind.eq(ConversationKind::Direct.as_str()));
    let here = tx.find_one::<Model>(&with_her.order_by_asc(Column::Id).limit(1)).await?;
    Ok(here.map(|here| here.id.0))
}

async fn opened(tx: &Tx, conversation: Uuid) -> Res<ConversationSummary> {
    by_id(tx, conversation).await?.ok_or_else(|| Fault::corrupt("a conversation that was just written is not here"))
}
