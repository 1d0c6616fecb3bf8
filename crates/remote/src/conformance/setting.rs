//! What a person sets for a conversation, for herself.

use super::{
    Actor, Backend, Scene, Verdict,
    actor::{composed_at, mutation, refused},
    edit::one,
};
use fieldpost_domain::{
    Acknowledgement, Archived, ConversationId, ConversationSettings, Intent, MarkRead, Mutation, PushOutcome,
    RefusalCode, Seq, SetConversation, Settings, SettingsChange,
};

fn set(conversation_id: ConversationId, change: SettingsChange) -> Mutation {
    mutation(Intent::SetConversation(SetConversation { conversation_id, change }))
}

fn row(outcome: PushOutcome) -> ConversationSettings {
    match outcome {
        PushOutcome::Acknowledged(Acknowledgement::Set(row)) => row,
        other => panic!("expected settings, got {other:?}"),
    }
}

async fn unread(who: &Actor<'_>, conversation: ConversationId) -> u64 {
    let rows = who.bootstrap().await.changes.conversations;
    rows.iter().find(|row| row.id == conversation).expect("she sees it").unread
}

/// Given settings of a person, when she changes a field, then the others stay, and all her devices learn of it.
pub async fn settings_change_field_by_field_and_reach_her_devices(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    let (cursor, theirs) = (ada.cursor().await, admin.cursor().await);
    let change = SettingsChange::pin(Some(composed_at())).then(SettingsChange::mute(Some(Settings::FOREVER)));
    let first = row(one(&ada, &set(own, change)).await);
    assert_eq!(row(one(&ada, &set(own, change)).await), first, "a lost answer changes nothing");
    let second = row(one(&ada, &set(own, SettingsChange::mute(None))).await);
    assert_eq!(second.settings, Settings { pinned_at: Some(composed_at()), ..Settings::default() });
    assert!(second.conversation_id == own && second.version > first.version);
    assert_eq!(ada.catch_up(&cursor).await.changes.settings.last(), Some(&second));
    assert_eq!(ada.bootstrap().await.changes.settings, [second]);
    assert!(admin.catch_up(&theirs).await.changes.settings.is_empty(), "nobody else learns of it");
    assert!(admin.bootstrap().await.changes.settings.is_empty());
    Ok(())
}

/// Given read messages, when they are marked unread, then they count again for this person alone, until her marker moves.
pub async fn marking_unread_counts_again_until_she_reads_on(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2", "3"]).await;
    let marker = ada.mark(own, 3).await;
    let cursor = ada.cursor().await;
    one(&ada, &set(own, SettingsChange::mark_unread(Some(Seq::new(2))))).await;
    assert_eq!((unread(&ada, own).await, unread(&admin, own).await), (2, 0));
    let caught = ada.catch_up(&cursor).await.changes;
    assert_eq!(caught.conversations.last().expect("its row comes along").unread, 2);
    assert_eq!(ada.mark(own, 3).await, marker, "the marker stays, and a mark that comes again changes nothing");
    assert_eq!(unread(&ada, own).await, 2);
    admin.say(own, "4").await;
    ada.mark(own, 4).await;
    assert_eq!(unread(&ada, own).await, 0);
    assert_eq!(ada.bootstrap().await.changes.settings[0].settings, Settings::default());
    Ok(())
}

/// Given a batch with marks and settings, then the marks come first: what she sets is what counts.
pub async fn settings_come_after_the_marks_of_a_batch(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2"]).await;
    let read = mutation(Intent::MarkRead(MarkRead { conversation_id: own, read_seq: Seq::new(2) }));
    ada.push(&[set(own, SettingsChange::mark_unread(Some(Seq::new(2)))), read]).await;
    assert_eq!(unread(&ada, own).await, 1);
    Ok(())
}

/// Given an archived conversation, then its place in the thread is at most the last message, and it goes with the archive.
pub async fn archiving_names_a_message_that_is_there(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2"]).await;
    let archived = |seq| SettingsChange::archive(Some(Archived { at: composed_at(), seq: Seq::new(seq) }));
    let seq = |row: ConversationSettings| row.settings.archived.map(|archived| archived.seq.get());
    assert_eq!(seq(row(one(&ada, &set(own, archived(1))).await)), Some(1));
    assert_eq!(seq(row(one(&ada, &set(own, archived(900))).await)), Some(2));
    assert_eq!(seq(row(one(&ada, &set(own, SettingsChange::archive(None))).await)), None);
    Ok(())
}

/// Given a conversation that somebody does not see, when she sets something, then she learns nothing of it.
pub async fn nobody_sets_what_she_does_not_see(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let own = ada.open_own().await.id;
    let pin = SettingsChange::pin(Some(composed_at()));
    assert_eq!(refused(&one(&ben, &set(own, pin)).await), RefusalCode::NotFound);
    let stranger = Scene::with_medics(backend, 1).await;
    assert_eq!(refused(&one(&stranger.admin().await, &set(own, pin)).await), RefusalCode::NotFound);
    Ok(())
}
