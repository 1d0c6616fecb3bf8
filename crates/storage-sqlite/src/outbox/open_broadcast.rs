//! Opening the broadcast of an org.

use super::open_direct::opened;
use crate::{
    derived,
    entity::{
        conversations::{self, Column, Entity, Model},
        people::{self, Column as People},
        value::{Id, Micros},
    },
    error::{Fault, Res},
    mutations::record,
    resolve,
    sql::Tx,
    version::UNKNOWN_TO_SERVER,
};
use fieldpost_domain::{ConversationId, ConversationKind, Intent, Mutation, MutationId, OpenBroadcast, OrgId, Role};
use fieldpost_storage::{ConversationSummary, NewBroadcast, NotPossible, StorageErrorKind};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn open_broadcast(tx: &Tx, mutation: MutationId, new: &NewBroadcast) -> Res<ConversationSummary> {
    let opener = resolve::viewer(tx).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotSynced))?;
    let org = administered(tx, opener).await?;
    let broadcast = Column::Kind.eq(ConversationKind::Broadcast.as_str());
    let there = Entity::find().filter(Column::OrgId.eq(Id(org))).filter(broadcast).order_by_asc(Column::Id).limit(1);
    if let Some(there) = tx.find_one::<Model>(&there).await? {
        return opened(tx, there.id.0).await;
    }
    let conversation = resolve::canonical(tx, new.id).await?;
    let intent = Intent::OpenBroadcast(OpenBroadcast {
        conversation_id: ConversationId::from_uuid(conversation),
        org_id: OrgId::from_uuid(org),
        subject: new.subject.clone(),
    });
    record::record(tx, Mutation { id: mutation, intent }, None, new.at).await?;
    let opened_here = conversations::ActiveModel {
        id: Set(Id(conversation)),
        org_id: Set(Id(org)),
        kind: Set(ConversationKind::Broadcast.as_str().to_owned()),
        subject: Set(new.subject.clone()),
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

/// The org of which a person is an admin.
async fn administered(tx: &Tx, person: Uuid) -> Res<Uuid> {
    let rows = people::Entity::find().filter(People::Id.eq(Id(person))).filter(People::Removed.eq(false));
    let rows = tx.find::<people::Model>(&rows.order_by_asc(People::OrgId)).await?;
    if rows.is_empty() {
        return Err(Fault::kind(StorageErrorKind::NotSynced));
    }
    let admin = rows.iter().find(|row| Role::from(row.role.as_str()) == Role::OrgAdmin);
    admin.map(|row| row.org_id.0).ok_or_else(|| Fault::kind(StorageErrorKind::NotApplicable(NotPossible::ReadOnly)))
}
