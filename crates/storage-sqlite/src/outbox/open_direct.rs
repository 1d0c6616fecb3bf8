//! Opening the direct conversation with a medic.

use crate::{
    conversations::by_id,
    derived,
    entity::{
        conversations::{self, Column, Entity, Model},
        people::{self, Column as People},
        sync_state,
        value::{Id, Micros},
    },
    error::{Fault, Res},
    mutations::record,
    resolve,
    sql::Tx,
    version::UNKNOWN_TO_SERVER,
};
use fieldpost_domain::{ConversationId, ConversationKind, Intent, Mutation, MutationId, OpenDirect, OrgId};
use fieldpost_storage::{ConversationSummary, NewDirect, StorageErrorKind};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::IntoCondition,
};
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
    let state = tx.find_one::<sync_state::Model>(&sync_state::Entity::find()).await?;
    let medic = People::MedicId.eq(Id(new.medic_id.as_uuid()));
    let org = match org_of(tx, medic).await? {
        Some(org) => Some(org),
        None => org_of(tx, People::Id.eq(state.and_then(|state| state.me_id))).await?,
    };
    Ok(org.zip(resolve::viewer(tx).await?))
}

/// One that the person belongs to, rather than one that they belonged to.
async fn org_of(tx: &Tx, person: impl IntoCondition) -> Res<Option<Uuid>> {
    let person = people::Entity::find().filter(person).order_by_asc(People::Removed);
    let person = person.order_by_asc(People::Id).order_by_asc(People::OrgId).limit(1);
    Ok(tx.find_one::<people::Model>(&person).await?.map(|person| person.org_id.0))
}

async fn with_medic(tx: &Tx, new: &NewDirect, org: Uuid) -> Res<Option<Uuid>> {
    let with_her = Entity::find()
        .filter(Column::MedicId.eq(Id(new.medic_id.as_uuid())))
        .filter(Column::OrgId.eq(Id(org)))
        .filter(Column::Kind.eq(ConversationKind::Direct.as_str()));
    let here = tx.find_one::<Model>(&with_her.order_by_asc(Column::Id).limit(1)).await?;
    Ok(here.map(|here| here.id.0))
}

pub(super) async fn opened(tx: &Tx, conversation: Uuid) -> Res<ConversationSummary> {
    by_id(tx, conversation).await?.ok_or_else(|| Fault::corrupt("a conversation that was just written is not here"))
}
