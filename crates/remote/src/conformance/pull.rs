//! What a pull brings.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{composed_at, failure, ids, send, sent},
};
use crate::{ExpiredReason, RemoteErrorKind};
use fieldpost_domain::{ConversationDigest, Cursor, MessageKind, Seq, TombstoneOf};

/// Given a device that has caught up, when nothing happens, then a pull is empty and the next one continues from it.
pub async fn nothing_new_is_an_empty_page(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let cursor = ada.cursor().await;
    let page = ada.pull(&cursor, None).await.expect("a page");
    assert!(page.changes.is_empty(), "{:?}", page.changes);
    assert_eq!((page.more, page.digest), (false, Some(ConversationDigest::of([own]))));
    let sent = ada.say(own, "Now").await;
    assert_eq!(ids(&ada.catch_up(&page.cursor).await.changes.messages), [sent.message_id]);
    Ok(())
}

/// Given a conversation, when one side writes, then the other's pull brings the message as it was sent.
pub async fn a_message_arrives_as_it_was_sent(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    let ack = ada.say(own, "On my way").await;
    let changes = admin.catch_up(&cursor).await.changes;
    let [row] = &changes.messages[..] else { panic!("one message, got {:?}", changes.messages) };
    assert_eq!((row.id, row.conversation_id, row.sender_id), (ack.message_id, own, ada.id));
    assert_eq!((&row.kind, row.content.as_deref()), (&MessageKind::Text, Some("On my way")));
    assert_eq!((row.seq, row.created_at, row.version), (ack.seq, ack.created_at, ack.version));
    assert_eq!((row.composed_at, row.deleted_at), (Some(composed_at()), None));
    Ok(())
}

/// Given a message, then its page holds its conversation and its sender.
pub async fn a_message_brings_its_conversation_and_sender(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    ada.say_all(own, &["1", "2", "3"]).await;
    let mut at = cursor;
    loop {
        let page = admin.pull(&at, Some(1)).await.expect("a page");
        if !page.changes.messages.is_empty() {
            assert!(page.changes.conversations.iter().any(|row| row.id == own));
            assert!(page.changes.people.iter().any(|row| row.id == ada.id));
        }
        at = page.cursor;
        if !page.more {
            return Ok(());
        }
    }
}

/// Given an admin who has caught up, when a medic opens her conversation, then it arrives together with the medic.
pub async fn a_new_conversation_arrives_with_its_row(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let cursor = admin.cursor().await;
    let own = ada.open_own().await;
    let caught = admin.catch_up(&cursor).await;
    let row = caught.changes.conversations.iter().find(|row| row.id == own.id).expect("the new conversation");
    assert_eq!((row.medic_id, row.created_by, row.version), (own.medic_id, ada.id, own.version));
    assert_eq!((row.last_seq, row.unread, row.last_message_at), (Seq::ZERO, 0, None));
    assert!(caught.changes.people.iter().any(|row| row.id == ada.id));
    assert_eq!(caught.digest, Some(ConversationDigest::of([own.id])));
    Ok(())
}

/// Given a conversation, when it gets a message, then its own version stays; only the derived fields change.
pub async fn a_message_does_not_raise_its_conversations_version(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let before = ada.open_own().await;
    ada.say(before.id, "Hello").await;
    let after = ada.bootstrap().await.changes.conversations.remove(0);
    assert_eq!((after.version, after.last_seq), (before.version, Seq::new(1)));
    Ok(())
}

/// Given a message that arrived, when its text changes, then it arrives again with a higher version.
pub async fn an_edit_arrives_with_a_higher_version(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let ack = ada.say(own, "North towr").await;
    let cursor = admin.cursor().await;
    scene.perform(Action::EditMessage { id: ack.message_id, content: "North tower".to_owned() }).await?;
    let changes = admin.catch_up(&cursor).await.changes;
    let [row] = &changes.messages[..] else { panic!("one message, got {:?}", changes.messages) };
    assert_eq!((row.id, row.seq, row.content.as_deref()), (ack.message_id, ack.seq, Some("North tower")));
    assert!(row.version > ack.version);
    Ok(())
}

/// Given a message that arrived, when it is soft-deleted, then its row arrives without content.
pub async fn a_soft_delete_arrives_without_content(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let ack = ada.say(own, "Wrong chat").await;
    let cursor = admin.cursor().await;
    scene.perform(Action::SoftDelete { id: ack.message_id }).await?;
    let changes = admin.catch_up(&cursor).await.changes;
    let [row] = &changes.messages[..] else { panic!("one message, got {:?}", changes.messages) };
    assert_eq!((row.id, row.seq), (ack.message_id, ack.seq));
    assert!(row.deleted_at.is_some() && row.content.is_none() && row.metadata.is_none());
    assert!(row.version > ack.version);
    Ok(())
}

/// Given a message that arrived, when its row is deleted, then a tombstone arrives and its seq is not reused.
pub async fn a_hard_delete_arrives_as_a_tombstone(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let ack = ada.say_all(own, &["1", "2"]).await.remove(1);
    let cursor = admin.cursor().await;
    scene.perform(Action::HardDelete { id: ack.message_id }).await?;
    let changes = admin.catch_up(&cursor).await.changes;
    let [row] = &changes.tombstones[..] else { panic!("one tombstone, got {:?}", changes.tombstones) };
    assert_eq!((row.conversation_id, row.of), (own, TombstoneOf::Message { id: ack.message_id, seq: ack.seq }));
    assert!(row.version > ack.version && changes.messages.is_empty());
    assert_eq!(ada.say(own, "3").await.seq.get(), 3, "a number is never given twice");
    Ok(())
}

/// Given a conversation with messages, when it is deleted, then a single tombstone arrives, and the digest agrees.
pub async fn a_deleted_conversation_arrives_as_one_tombstone(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await;
    ada.say_all(own.id, &["1", "2", "3"]).await;
    let cursors = [admin.cursor().await, ada.cursor().await];
    scene.perform(Action::DeleteConversation { id: own.id }).await?;
    for (who, cursor) in [&admin, &ada].into_iter().zip(cursors) {
        let caught = who.catch_up(&cursor).await;
        let [row] = &caught.changes.tombstones[..] else { panic!("one tombstone: {:?}", caught.changes.tombstones) };
        assert_eq!((row.conversation_id, row.of), (own.id, TombstoneOf::Conversation));
        assert!(row.version > own.version && caught.changes.messages.is_empty());
        assert_eq!(caught.digest, Some(ConversationDigest::of([])));
    }
    Ok(())
}

/// Given a web client that writes to the table itself, then its message gets the next seq and arrives like any other.
pub async fn a_message_inserted_by_another_client_gets_a_seq(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    ada.say(own, "1").await;
    let cursor = ada.cursor().await;
    let inserted = scene.stranger_writes(scene.world.admin.person_id, own, "From the dashboard").await?;
    let changes = ada.catch_up(&cursor).await.changes;
    let [row] = &changes.messages[..] else { panic!("one message, got {:?}", changes.messages) };
    assert_eq!((row.id, row.seq.get(), row.sender_id), (inserted, 2, scene.world.admin.person_id));
    assert_eq!(ada.say(own, "3").await.seq.get(), 3);
    Ok(())
}

/// Given a long last message, then the conversation's row has its time and its first 100 characters.
pub async fn the_last_message_is_derived_when_the_row_is_read(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let long = "é".repeat(150);
    let message = ada.draft(own, &long);
    let ack = sent(&ada.push(&[send(message)]).await[0]);
    let row = admin.bootstrap().await.changes.conversations.remove(0);
    assert_eq!((row.last_seq, row.last_message_at, row.unread), (ack.seq, Some(ack.created_at), 1));
    assert_eq!(row.last_message_preview.map(|text| text.chars().count()), Some(100));
    Ok(())
}

/// Given a soft-deleted message, then no preview shows its text.
pub async fn deleted_text_shows_in_no_preview(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    ada.say(own, "Hello").await;
    let secret = ada.say(own, "A secret").await;
    scene.perform(Action::SoftDelete { id: secret.message_id }).await?;
    let row = admin.bootstrap().await.changes.conversations.remove(0);
    assert!(!row.last_message_preview.unwrap_or_default().contains("secret"));
    assert_eq!((row.last_seq.get(), row.unread), (2, 1), "it keeps its place and is not unread");
    Ok(())
}

/// Given a cursor that no server wrote, then the server asks for a new first load.
pub async fn a_cursor_that_cannot_be_read_has_expired(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    for text in ["made-up", "1.2.3.4.5", "../../etc/passwd", "'; drop table messages; --", "9:9:"] {
        let cursor = Cursor::new(text).expect("a cursor by form");
        let kind = failure(ada.pull(&cursor, None).await);
        assert_eq!(kind, RemoteErrorKind::CursorExpired(ExpiredReason::Invalid), "{text}");
    }
    Ok(())
}

/// Given a cursor, when the server's history is replaced, then the cursor has expired and a bootstrap repairs it.
pub async fn a_cursor_of_another_epoch_has_expired(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let cursor = ada.cursor().await;
    scene.perform(Action::ChangeEpoch).await?;
    assert_eq!(failure(ada.pull(&cursor, None).await), RemoteErrorKind::CursorExpired(ExpiredReason::Epoch));
    let cursor = ada.bootstrap().await.cursor;
    assert!(ada.pull(&cursor, None).await.is_ok());
    Ok(())
}

/// Given two first loads, then both name the same history, and one after a restore names another.
pub async fn every_first_load_names_the_history_it_is_of(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let before = ada.bootstrap().await.epoch;
    assert!(before.as_ref().is_some_and(|epoch| !epoch.as_str().is_empty()));
    ben.open_own().await;
    assert_eq!(ben.bootstrap().await.epoch, before, "whoever asks, and whatever was written");
    scene.perform(Action::ChangeEpoch).await?;
    let after = ada.bootstrap().await.epoch;
    assert!(after.is_some() && after != before);
    Ok(())
}
