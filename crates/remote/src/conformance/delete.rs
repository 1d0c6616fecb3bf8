//! Deleting messages.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{mutation, refused, send},
    edit::{edit, one, row},
};
use fieldpost_domain::{
    Acknowledgement, ConversationId, DeleteMessage, Intent, Mentions, Message, MessageId, Mutation, PushOutcome,
    RefusalCode, Time,
};

fn delete(conversation_id: ConversationId, message_id: MessageId) -> Mutation {
    mutation(Intent::DeleteMessage(DeleteMessage { conversation_id, message_id, deleted_at: Time::UNIX_EPOCH }))
}

fn is_empty(message: &Message) -> bool {
    let empty = message.content.is_none() && message.metadata.is_none() && message.mentions.is_empty();
    message.deleted_at.is_some() && empty
}

/// Given a message, when its author deletes it, then everybody gets its row without content, and the list shows none.
pub async fn a_deletion_reaches_everybody_as_a_row_without_content(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let mut draft = ada.draft(own, "Hall A");
    draft.mentions = Mentions::from([scene.world.admin.person_id]);
    ada.push(&[send(draft.clone())]).await;
    let cursor = admin.cursor().await;
    let deleted = row(one(&ada, &delete(own, draft.id)).await);
    assert!(deleted.id == draft.id && is_empty(&deleted), "{deleted:?}");
    let caught = admin.catch_up(&cursor).await;
    assert_eq!(caught.changes.messages, [deleted]);
    let conversation = caught.changes.conversations.last().expect("the conversation of a message comes with it");
    assert_eq!((conversation.last_message_preview.as_deref().unwrap_or_default(), conversation.unread), ("", 0));
    Ok(())
}

/// Given a deletion whose response was lost, when it is resent, then it succeeds and nothing changes.
pub async fn a_deletion_sent_again_changes_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    let deletion = delete(own, id);
    let first = row(one(&ada, &deletion).await);
    assert_eq!(row(one(&ada, &deletion).await), first);
    assert_eq!(
        row(one(&scene.admin().await, &delete(own, id)).await),
        first,
        "also when somebody else deletes it again"
    );
    Ok(())
}

/// Given a message that somebody else wrote, only an admin of the org can delete it.
pub async fn an_admin_deletes_what_others_wrote(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let own = ada.open_own().await.id;
    let (hers, theirs) = (ada.say(own, "hers").await.message_id, admin.say(own, "theirs").await.message_id);
    assert_eq!(refused(&one(&ada, &delete(own, theirs)).await), RefusalCode::Forbidden);
    assert_eq!(refused(&one(&ben, &delete(own, hers)).await), RefusalCode::NotFound, "she does not see it");
    assert!(is_empty(&row(one(&admin, &delete(own, hers)).await)));
    let everyone = admin.open_broadcast(scene.world.org_id, "All").await.id;
    let announced = admin.say(everyone, "to all").await.message_id;
    assert_eq!(refused(&one(&ben, &delete(everyone, announced)).await), RefusalCode::Forbidden);
    assert!(is_empty(&row(one(&admin, &delete(everyone, announced)).await)));
    let stranger = Scene::with_medics(backend, 1).await;
    assert_eq!(refused(&one(&stranger.admin().await, &delete(own, theirs)).await), RefusalCode::NotFound);
    let elsewhere = ben.open_own().await.id;
    assert_eq!(refused(&one(&ben, &delete(elsewhere, theirs)).await), RefusalCode::NotFound, "it is not in there");
    Ok(())
}

/// Given an edit and a deletion of one message, then the deletion stands, in one batch and after another.
pub async fn delete_beats_edit(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    for edit_first in [false, true] {
        let id = ada.say(own, "one").await.message_id;
        let mut batch = vec![delete(own, id), edit(own, id, "two")];
        if edit_first {
            batch.reverse();
        }
        let outcomes = ada.push(&batch).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, PushOutcome::Acknowledged(_))), "{outcomes:?}");
        let page = ada.history(own, None, None).await.expect("she sees it");
        assert!(page.changes.messages.iter().all(is_empty));
        assert_eq!(refused(&one(&ada, &edit(own, id, "back")).await), RefusalCode::MessageDeleted);
    }
    Ok(())
}

/// Given a message and its deletion in one batch, then the server stores the message without content.
pub async fn a_message_and_its_deletion_go_in_one_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let draft = ada.draft(own, "too early");
    let outcomes = ada.push(&[delete(own, draft.id), send(draft.clone())]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PushOutcome::Acknowledged(_))), "{outcomes:?}");
    let page = ada.history(own, None, None).await.expect("she sees it");
    assert!(page.changes.messages.iter().all(is_empty), "sends come first");
    Ok(())
}

/// Given a message whose row is gone, when it is deleted, then that succeeds, and the response has the tombstone.
pub async fn a_deletion_of_what_is_gone_is_answered_with_the_tombstone(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    scene.perform(Action::HardDelete { id }).await?;
    match one(&ada, &delete(own, id)).await {
        PushOutcome::Acknowledged(Acknowledgement::Deleted(tombstone)) => {
            assert_eq!((tombstone.message_id(), tombstone.conversation_id), (Some(id), own));
        }
        other => panic!("expected the tombstone, got {other:?}"),
    }
    Ok(())
}

/// Given a message that an older version of the app sent with a key, then a deletion that names the key finds it.
pub async fn the_key_of_an_older_app_names_what_is_deleted(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let draft = ada.draft(own, "old way");
    let id = scene.older_app_sends(&draft).await?;
    let outcome = one(&ada, &delete(own, draft.id)).await;
    // The row has no metadata any more, so the key is not in it, and a client may take it for that of another message.
    let page = ada.history(own, None, None).await.expect("she sees it");
    assert!(matches!(outcome, PushOutcome::Acknowledged(_)), "{outcome:?}");
    assert!(page.changes.messages.iter().all(|row| row.id == id && is_empty(row)));
    Ok(())
}
