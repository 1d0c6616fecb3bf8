//! Editing messages.

use super::{
    Action, Actor, Backend, Scene, Verdict,
    actor::{mutation, opened, refused, send},
    fresh,
};
use fieldpost_domain::{
    Acknowledgement, ConversationId, EditMessage, Intent, Mentions, Message, MessageContent, MessageId, Mutation,
    OpenDirect, PushOutcome, RefusalCode, RetryCode, Version,
};

pub(super) fn edit(conversation_id: ConversationId, message_id: MessageId, text: &str) -> Mutation {
    edit_with(conversation_id, message_id, text, Mentions::new())
}

fn edit_with(conversation_id: ConversationId, message_id: MessageId, text: &str, mentions: Mentions) -> Mutation {
    let content = MessageContent::new(text).expect("a text that can be sent");
    mutation(Intent::EditMessage(EditMessage { conversation_id, message_id, content, mentions }))
}

pub(super) async fn one(actor: &Actor<'_>, mutation: &Mutation) -> PushOutcome {
    actor.push(std::slice::from_ref(mutation)).await.remove(0)
}

pub(super) fn row(outcome: PushOutcome) -> Message {
    match outcome {
        PushOutcome::Acknowledged(Acknowledgement::Stored(message)) => *message,
        other => panic!("expected the row of a message, got {other:?}"),
    }
}

/// Given a message, when its author edits it, then the response is its new row, and everybody gets that row.
pub async fn an_edit_is_answered_with_the_row_that_everybody_gets(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    let sent = ada.say(own, "Hall A").await;
    let mentions = Mentions::from([scene.world.admin.person_id]);
    let edited = row(one(&ada, &edit_with(own, sent.message_id, "Hall B", mentions.clone())).await);
    assert_eq!((edited.content.as_deref(), &edited.mentions), (Some("Hall B"), &mentions));
    assert_eq!((edited.id, edited.seq), (sent.message_id, sent.seq), "it stays where it stood");
    assert!(edited.edited_at.is_some_and(|at| at >= edited.created_at), "{edited:?}");
    assert!(edited.version > sent.version);
    let caught = admin.catch_up(&cursor).await;
    assert_eq!(caught.changes.messages.last(), Some(&edited));
    let conversation = caught.changes.conversations.last().expect("the conversation of a message comes with it");
    assert_eq!(conversation.last_message_preview.as_deref(), Some("Hall B"));
    Ok(())
}

/// Given a message that mentions somebody, then every reader gets the mentions; the message does not count as edited.
pub async fn mentions_travel_with_a_message(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    let mentions = Mentions::from([scene.world.admin.person_id, scene.world.medics[0].person_id]);
    let mut draft = ada.draft(own, "both of us");
    draft.mentions.clone_from(&mentions);
    ada.push(&[send(draft)]).await;
    let messages = admin.catch_up(&cursor).await.changes.messages;
    assert_eq!(messages.iter().map(|row| (&row.mentions, row.edited_at)).collect::<Vec<_>>(), [(&mentions, None)]);
    Ok(())
}

/// Given an edit whose response was lost, when it is resent, then it succeeds and nothing changes.
pub async fn an_edit_sent_again_changes_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    let change = edit(own, id, "two");
    let first = row(one(&ada, &change).await);
    assert_eq!(row(one(&ada, &change).await), first);
    Ok(())
}

/// Given two edits of one message, then the one that arrives later wins.
pub async fn of_two_edits_the_later_one_stands(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    let outcomes = ada.push(&[edit(own, id, "two"), edit(own, id, "three")]).await;
    let versions: Vec<Version> = outcomes.into_iter().map(|outcome| row(outcome).version).collect();
    assert!(versions[0] < versions[1]);
    let page = ada.history(own, None, None).await.expect("she sees it");
    assert_eq!(page.changes.messages[0].content.as_deref(), Some("three"));
    Ok(())
}

/// Given a message and its edit in one batch, then the edit finds the message, wherever it stands in the batch.
pub async fn a_message_and_its_edit_go_in_one_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    for edit_first in [false, true] {
        let draft = ada.draft(own, "raw");
        let mut batch = vec![send(draft.clone()), edit(own, draft.id, "cooked")];
        if edit_first {
            batch.reverse();
        }
        let outcomes = ada.push(&batch).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, PushOutcome::Acknowledged(_))), "{outcomes:?}");
        let page = ada.history(own, None, None).await.expect("she sees it");
        let stored = page.changes.messages.iter().find(|row| row.id == draft.id);
        assert_eq!(stored.and_then(|row| row.content.as_deref()), Some("cooked"), "sends come first");
    }
    Ok(())
}

/// Given a message of somebody else, then nobody can edit it, whatever her role.
pub async fn nobody_edits_what_another_wrote(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let (hers, theirs) = (ada.say(own, "hers").await.message_id, admin.say(own, "theirs").await.message_id);
    assert_eq!(refused(&one(&admin, &edit(own, hers, "x")).await), RefusalCode::Forbidden);
    assert_eq!(refused(&one(&ada, &edit(own, theirs, "x")).await), RefusalCode::Forbidden);
    let everyone = admin.open_broadcast(scene.world.org_id, "All").await.id;
    let announced = admin.say(everyone, "to all").await.message_id;
    assert_eq!(refused(&one(&ada, &edit(everyone, announced, "x")).await), RefusalCode::Forbidden);
    assert_eq!(
        row(one(&admin, &edit(everyone, announced, "to all of you")).await).sender_id,
        scene.world.admin.person_id
    );
    Ok(())
}

/// Given a message that was soft-deleted or hard-deleted, then an edit does not bring it back.
pub async fn a_deleted_message_is_not_edited(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let (soft, hard) = (ada.say(own, "soft").await.message_id, ada.say(own, "hard").await.message_id);
    scene.perform(Action::SoftDelete { id: soft }).await?;
    scene.perform(Action::HardDelete { id: hard }).await?;
    for id in [soft, hard] {
        assert_eq!(refused(&one(&ada, &edit(own, id, "back")).await), RefusalCode::MessageDeleted);
    }
    let page = ada.history(own, None, None).await.expect("she sees it");
    assert!(page.changes.messages.iter().all(|row| row.content.is_none()));
    Ok(())
}

/// Given a message that does not exist, or one that the caller may not see, then both get the same answer.
pub async fn an_unknown_or_hidden_message_is_not_found(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let (hers, his) = (ada.open_own().await.id, ben.open_own().await.id);
    let theirs = ben.say(his, "his").await.message_id;
    for (conversation, message) in [(hers, fresh::message_id()), (hers, theirs), (his, theirs)] {
        assert_eq!(refused(&one(&ada, &edit(conversation, message, "x")).await), RefusalCode::NotFound);
    }
    Ok(())
}

/// Given a message that an older version of the app sent with a key, then an edit that names the key finds it.
pub async fn the_key_of_an_older_app_names_its_message(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let draft = ada.draft(own, "old way");
    let id = scene.older_app_sends(&draft).await?;
    let edited = row(one(&ada, &edit(own, draft.id, "new way")).await);
    assert_eq!((edited.id, edited.content.as_deref()), (id, Some("new way")));
    Ok(())
}

/// Given a conversation that the device knows by its own id, then an edit in it finds its message.
pub async fn an_alias_names_the_conversation_of_an_edit(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    let conversation_id = fresh::conversation_id();
    let opening = mutation(Intent::OpenDirect(OpenDirect { conversation_id, medic_id: None, org_id: None }));
    let outcomes = ada.push(&[opening, edit(conversation_id, id, "two")]).await;
    assert_eq!(opened(&outcomes[0]).id, own);
    assert_eq!(row(outcomes[1].clone()).conversation_id, own);
    Ok(())
}

/// Given a collision in a conversation, then its later edits wait too, although they belong to a later step.
pub async fn a_retry_holds_back_the_edits_behind_it(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let id = ada.say(own, "one").await.message_id;
    scene.perform(Action::RetryNext { conversation_id: own, code: RetryCode::Busy }).await?;
    let batch = [send(ada.draft(own, "two")), edit(own, id, "one, edited")];
    let held = ada.push(&batch).await;
    assert_eq!(held, [RetryCode::Busy, RetryCode::AfterRetry].map(PushOutcome::Retry));
    let done = ada.push(&batch).await;
    assert_eq!(row(done[1].clone()).content.as_deref(), Some("one, edited"));
    Ok(())
}
