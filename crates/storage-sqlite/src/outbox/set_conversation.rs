//! Changing settings: they show over what the server has, until it has answered.

use crate::{
    conversations::by_id,
    derived,
    entity::{
        conversations,
        outbox::{Column as O, Entity},
        value::Id,
    },
    error::{Fault, Res},
    mutations::{
        record,
        settings::{self, Waiting},
    },
    resolve,
    sql::Tx,
};
use fieldpost_domain::{
    ConversationId, Intent, Mutation, MutationId, RefusalCode, Seq, SetConversation, Settings, SettingsChange, Time,
};
use fieldpost_storage::{ChangeSet, ConversationSummary, MutationIds, StorageErrorKind};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn set_conversation(
    tx: &Tx,
    mutation: MutationId,
    conversation: ConversationId,
    change: SettingsChange,
    at: Time,
) -> Res<ConversationSummary> {
    let not_found = || Fault::kind(StorageErrorKind::NotFound);
    resolve::owner(tx).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NoAccount))?;
    let id = resolve::canonical(tx, conversation).await?;
    let here = by_id(tx, id).await?.ok_or_else(not_found)?;
    let mut changed = here.settings;
    change.apply(&mut changed);
    if changed == here.settings {
        return Ok(here);
    }
    let parked = !here.on_server && open_is_refused(tx, id).await?;
    let (_, waiting) = settings::layers(tx, id).await?;
    match waiting.iter().rev().find(|waiting| waiting.unattempted && !parked) {
        Some(queued) => record::rewrite(tx, queued.mutation, &intent(id, queued.change.then(change))).await?,
        None => {
            let failed = parked.then_some(RefusalCode::OpenRefused);
            record::record(tx, Mutation { id: mutation, intent: intent(id, change) }, failed, at).await?;
        }
    }
    rebuild(tx, id).await?;
    by_id(tx, id).await?.ok_or_else(not_found)
}

fn intent(conversation: Uuid, change: SettingsChange) -> Intent {
    Intent::SetConversation(SetConversation { conversation_id: ConversationId::from_uuid(conversation), change })
}

async fn rebuild(tx: &Tx, conversation: Uuid) -> Res<()> {
    let this = BTreeSet::from([conversation]);
    settings::rebuild(tx, &this).await?;
    derived::refresh(tx, &this).await
}

async fn open_is_refused(tx: &Tx, lane: Uuid) -> Res<bool> {
    let opens = Entity::find().filter(O::ConversationId.eq(Id(lane))).filter(O::Opens.eq(true));
    tx.finds(&opens.filter(O::FailedCode.is_not_null())).await
}

/// The person has read a conversation that was marked unread. Queued marks that have never reached the server are taken back.
pub(super) async fn take_back_unread(tx: &Tx, ids: &dyn MutationIds, conversation: Uuid, at: Time) -> Res<()> {
    let (mut before, waiting) = settings::layers(tx, conversation).await?;
    let (queued, attempted): (Vec<Waiting>, Vec<Waiting>) =
        waiting.into_iter().partition(|waiting| waiting.unattempted);
    attempted.iter().for_each(|waiting| waiting.change.apply(&mut before));
    let Settings { unread_from: still, .. } = before;
    // There are several where one was told to come again, after another was queued behind it.
    for (place, waiting) in queued.iter().rev().enumerate() {
        mark_unread(tx, conversation, waiting, still.filter(|_| place == 0).map(|_| None)).await?;
    }
    if queued.is_empty() {
        let read = Mutation { id: ids.new_id(at), intent: intent(conversation, SettingsChange::mark_unread(None)) };
        record::record(tx, read, None, at).await?;
    }
    tx.changed(ChangeSet::of([ConversationId::from_uuid(conversation)]).and_unread()).await;
    settings::rebuild(tx, &BTreeSet::from([conversation])).await?;
    let there = conversations::Entity::find_by_id(Id(conversation));
    if tx.finds(&there).await? { derived::refresh(tx, &BTreeSet::from([conversation])).await } else { Ok(()) }
}

/// Replaces what a queued change says about it. A change that says nothing else leaves.
async fn mark_unread(tx: &Tx, conversation: Uuid, waiting: &Waiting, from: Option<Option<Seq>>) -> Res<()> {
    let change = SettingsChange { unread_from: from, ..waiting.change };
    if change.is_empty() {
        tx.changed(ChangeSet::of_outbox()).await;
        let empty = Entity::delete_many().filter(O::Id.eq(Id(waiting.mutation.as_uuid())));
        return tx.execute(&empty).await.map(drop);
    }
    record::rewrite(tx, waiting.mutation, &intent(conversation, change)).await
}
