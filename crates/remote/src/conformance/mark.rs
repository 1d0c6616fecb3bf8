//! Read markers and receipts.

use super::{Action, Actor, Backend, Scene, Verdict, actor::refused};
use fieldpost_domain::{Changes, ConversationId, Intent, MarkRead, RefusalCode, Seq};

async fn unread(who: &Actor<'_>, conversation: ConversationId) -> u64 {
    let rows = who.bootstrap().await.changes.conversations;
    rows.iter().find(|row| row.id == conversation).expect("she sees it").unread
}

/// Given unread messages, when some are marked as read, then the marker moves, and what was read counts as delivered.
pub async fn a_marker_moves_forward(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2", "3"]).await;
    let marker = ada.mark(own, 2).await;
    assert_eq!((marker.conversation_id, marker.person_id, marker.read_seq.get()), (own, ada.id, 2));
    assert!(marker.delivered_seq >= marker.read_seq);
    let further = ada.mark(own, 3).await;
    assert!(further.read_seq.get() == 3 && further.version > marker.version);
    Ok(())
}

/// Given a marker, when an older one arrives late, then the marker stays.
pub async fn a_marker_never_moves_back(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2", "3"]).await;
    let marker = ada.mark(own, 3).await;
    for late in [1, 3, 0] {
        assert_eq!(ada.mark(own, late).await, marker);
    }
    Ok(())
}

/// Given a client that marks more than the conversation holds, then later messages still count as unread.
pub async fn a_marker_stays_within_the_conversation(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say(own, "1").await;
    assert_eq!(ada.mark(own, 1_000_000).await.read_seq.get(), 1);
    admin.say(own, "2").await;
    assert_eq!(unread(&ada, own).await, 1);
    Ok(())
}

/// Given unread messages, when they are marked, then the count drops for the reader and for nobody else.
pub async fn a_marker_lowers_the_unread_count(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2"]).await;
    ada.say_all(own, &["3", "4"]).await;
    assert_eq!((unread(&ada, own).await, unread(&admin, own).await), (2, 2));
    ada.mark(own, 1).await;
    assert_eq!((unread(&ada, own).await, unread(&admin, own).await), (1, 2));
    ada.mark(own, 4).await;
    assert_eq!((unread(&ada, own).await, unread(&admin, own).await), (0, 2));
    Ok(())
}

/// Given a device that holds only the counts, when an unread message is hard-deleted, or another device of the same
/// person reads, then the page with that change brings the conversation with its new count.
pub async fn whatever_changes_the_unread_count_brings_it(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let sent = ada.say_all(own, &["1", "2", "3"]).await;
    let cursor = admin.cursor().await;
    scene.perform(Action::HardDelete { id: sent[0].message_id }).await?;
    let caught = admin.catch_up(&cursor).await;
    let unread = |changes: &Changes| changes.conversations.iter().find(|row| row.id == own).map(|row| row.unread);
    assert_eq!((caught.changes.tombstones.len(), unread(&caught.changes)), (1, Some(2)));
    scene.admin().await.mark(own, 2).await;
    let caught = admin.catch_up(&caught.cursor).await;
    assert_eq!((caught.changes.read_markers.len(), unread(&caught.changes)), (1, Some(1)));
    Ok(())
}

/// Given a direct conversation, when one side reads, then the other side's pull brings the receipt.
pub async fn receipts_reach_the_other_side_of_a_direct_conversation(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    ada.say(own, "1").await;
    admin.say(own, "2").await;
    for (reader, other) in [(&ada, &admin), (&admin, &ada)] {
        let cursor = other.cursor().await;
        let marker = reader.mark(own, 2).await;
        let changes = other.catch_up(&cursor).await.changes;
        assert!(changes.read_markers.contains(&marker), "{:?}", changes.read_markers);
    }
    Ok(())
}

/// Given a broadcast, when medics read it, then the admin gets the receipts, and no medic gets another's.
pub async fn medics_do_not_see_each_others_markers(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let notices = admin.open_broadcast(scene.world.org_id, "Notices").await.id;
    admin.say(notices, "1").await;
    let (for_admin, for_ben) = (admin.cursor().await, ben.cursor().await);
    let marker = ada.mark(notices, 1).await;
    assert!(admin.catch_up(&for_admin).await.changes.read_markers.contains(&marker));
    assert_eq!(ben.catch_up(&for_ben).await.changes.read_markers, []);
    assert!(ben.bootstrap().await.changes.read_markers.iter().all(|row| row.person_id != ada.id));
    Ok(())
}

/// Given another medic's conversation, when a medic marks it, then it is not found.
pub async fn a_hidden_conversation_cannot_be_marked(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let conversation_id = ben.open_own().await.id;
    let outcome = ada.push_one(Intent::MarkRead(MarkRead { conversation_id, read_seq: Seq::new(1) })).await;
    assert_eq!(refused(&outcome), RefusalCode::NotFound);
    Ok(())
}
