//! What has arrived on a device.

use super::{
    Backend, Scene, Verdict,
    actor::{Actor, mutation, refused},
};
use fieldpost_domain::{
    Acknowledgement, ConversationId, Intent, MarkDelivered, PushOutcome, ReadMarker, RefusalCode, Seq,
};

fn arrival(conversation_id: ConversationId, seq: u64) -> Intent {
    Intent::MarkDelivered(MarkDelivered { conversation_id, delivered_seq: Seq::new(seq) })
}

async fn arrived(who: &Actor<'_>, conversation: ConversationId, seq: u64) -> ReadMarker {
    match who.push_one(arrival(conversation, seq)).await {
        PushOutcome::Acknowledged(Acknowledgement::Marked(marker)) => marker,
        other => panic!("expected a marker, got {other:?}"),
    }
}

/// Given messages that have arrived, when a device says so, then others learn it, and nothing counts as read.
pub async fn an_arrival_moves_only_what_has_arrived(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2", "3"]).await;
    let cursor = admin.cursor().await;
    let marker = arrived(&ada, own, 2).await;
    assert_eq!((marker.delivered_seq.get(), marker.read_seq.get(), marker.person_id), (2, 0, ada.id));
    assert!(marker.delivered_at.is_some() && marker.read_at.is_none());
    assert_eq!(admin.catch_up(&cursor).await.changes.read_markers, [marker]);
    let rows = ada.bootstrap().await.changes.conversations;
    assert_eq!(rows.iter().find(|row| row.id == own).expect("she sees it").unread, 3);
    Ok(())
}

/// Given a device that says less, or more than there is, then the marker stays, or ends with the conversation.
pub async fn an_arrival_never_moves_back_nor_beyond_the_conversation(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2", "3"]).await;
    let marker = arrived(&ada, own, 1_000_000).await;
    assert_eq!(marker.delivered_seq.get(), 3);
    for late in [1, 3, 0] {
        assert_eq!(arrived(&ada, own, late).await, marker);
    }
    let read = ada.mark(own, 2).await;
    assert_eq!((read.delivered_seq.get(), read.read_seq.get()), (3, 2));
    assert_eq!(read.delivered_at, marker.delivered_at, "it has arrived when it arrived");
    Ok(())
}

/// Given a receipt, then no message of the conversation comes again: every device computes the status by itself.
pub async fn a_receipt_brings_no_message_again(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2"]).await;
    let cursor = admin.cursor().await;
    arrived(&ada, own, 2).await;
    ada.mark(own, 1).await;
    let caught = admin.catch_up(&cursor).await;
    assert_eq!((caught.changes.messages.len(), caught.changes.read_markers.len()), (0, 1));
    Ok(())
}

/// Given a conversation that the caller does not see, then nothing has arrived from it.
pub async fn what_one_does_not_see_has_not_arrived(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let theirs = ben.open_own().await.id;
    ben.say(theirs, "1").await;
    assert_eq!(refused(&ada.push_one(arrival(theirs, 1)).await), RefusalCode::NotFound);
    let batch = [mutation(arrival(super::fresh::conversation_id(), 1))];
    assert_eq!(refused(&ada.push(&batch).await[0]), RefusalCode::NotFound);
    Ok(())
}
