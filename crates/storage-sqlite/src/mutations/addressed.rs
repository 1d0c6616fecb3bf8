//! Checks whom a message addresses: the message that it replies to, and the people that it mentions. Most address nobody,
//! and then nothing is asked.

use crate::{
    entity::{conversations, messages, people, value::Id},
    error::{Fault, Res},
    sql::Tx,
};
use fieldpost_domain::{ConversationKind, MedicId, MessageId, OrgId, Person, PersonId};
use fieldpost_storage::{
    NotPossible, StorageErrorKind,
    visibility::{Place, may_see},
};
use sea_orm::{ColumnTrait, DerivePartialModel, EntityTrait, PartialModelTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

/// A message that is known to be in another conversation cannot be answered in this one.
pub(crate) async fn check_reply(tx: &Tx, conversation: Uuid, reply_to: Option<MessageId>) -> Res<()> {
    let Some(target) = reply_to else { return Ok(()) };
    let elsewhere = messages::Entity::find()
        .filter(messages::Column::Id.eq(Id(target.as_uuid())))
        .filter(messages::Column::ConversationId.ne(Id(conversation)));
    if tx.finds(&elsewhere).await? { not_possible(NotPossible::RepliesElsewhere) } else { Ok(()) }
}

/// Nobody can be mentioned who is known not to see the conversation.
pub(crate) async fn check_mentions<'p>(
    tx: &Tx,
    conversation: Uuid,
    mentions: impl Iterator<Item = &'p PersonId>,
) -> Res<()> {
    let mentioned: Vec<_> = mentions.map(|person| Id(person.as_uuid())).collect();
    if mentioned.is_empty() {
        return Ok(());
    }
    let Some(place) = place(tx, conversation).await? else { return Ok(()) };
    let known = people::Entity::find()
        .filter(people::Column::OrgId.eq(Id(place.org_id.as_uuid())))
        .filter(people::Column::Id.is_in(mentioned));
    for person in tx.find::<people::Model>(&known).await? {
        if !may_see(&Person::try_from(person)?, &place) {
            return not_possible(NotPossible::MentionNotAllowed);
        }
    }
    Ok(())
}

#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "conversations::Entity")]
struct Placed {
    org_id: Id,
    kind: String,
    medic_id: Option<Id>,
}

async fn place(tx: &Tx, conversation: Uuid) -> Res<Option<Place>> {
    let stored = Placed::select_cols(conversations::Entity::find_by_id(Id(conversation)).select_only());
    let stored = tx.find_one::<Placed>(&stored).await?;
    Ok(stored.map(|stored| Place {
        org_id: OrgId::from_uuid(stored.org_id.0),
        kind: ConversationKind::from(stored.kind),
        medic_id: stored.medic_id.map(|id| MedicId::from_uuid(id.0)),
    }))
}

fn not_possible(why: NotPossible) -> Res<()> {
    Err(Fault::kind(StorageErrorKind::NotApplicable(why)))
}
