//! Gaining and losing access to conversations.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{failure, seqs},
};
use crate::{ExpiredReason, RemoteErrorKind};
use fieldpost_domain::{Access, ConversationDigest, Role};

/// Given a conversation that changes hands, then the old medic loses access and the new one gains it.
pub async fn a_reassigned_conversation_is_revoked_and_granted(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let id = ada.open_own().await.id;
    ada.say(id, "Mine").await;
    let cursors = [ada.cursor().await, ben.cursor().await];
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(1) }).await?;

    let lost = ada.catch_up(&cursors[0]).await;
    let [change] = &lost.changes.access[..] else { panic!("one change, got {:?}", lost.changes.access) };
    assert_eq!((change.conversation_id, &change.access), (id, &Access::Revoke));
    assert_eq!((lost.changes.conversations.len(), lost.digest), (0, Some(ConversationDigest::of([]))));
    assert_eq!(failure(ada.history(id, None, None).await), RemoteErrorKind::NotFound);

    let gained = ben.catch_up(&cursors[1]).await;
    let [change] = &gained.changes.access[..] else { panic!("one change, got {:?}", gained.changes.access) };
    assert_eq!((change.conversation_id, &change.access), (id, &Access::Grant));
    assert_eq!(gained.digest, Some(ConversationDigest::of([id])));
    Ok(())
}

/// Given a grant, then the row comes with it, and history returns the messages that are older than the cursor.
pub async fn a_grant_brings_the_row_and_history_the_messages(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let id = ada.open_own().await.id;
    ada.say_all(id, &["1", "2", "3"]).await;
    let cursor = ben.cursor().await;
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(1) }).await?;
    let changes = ben.catch_up(&cursor).await.changes;
    let row = changes.conversations.iter().find(|row| row.id == id).expect("the row comes with the grant");
    assert_eq!((row.last_seq.get(), row.medic_id, row.unread), (3, Some(scene.medic_id(1)), 3));
    assert_eq!(seqs(&ben.history(id, None, None).await.expect("history").changes.messages), [1, 2, 3]);
    Ok(())
}

/// Given a conversation that was read, lost and regained, then the grant brings the marker, which is older than any
/// cursor.
pub async fn a_grant_brings_the_read_markers(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let id = ada.open_own().await.id;
    admin.say_all(id, &["1", "2", "3"]).await;
    let marker = ada.mark(id, 2).await;
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(1) }).await?;
    let cursor = ada.cursor().await;
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(0) }).await?;
    let changes = ada.catch_up(&cursor).await.changes;
    assert!(changes.read_markers.contains(&marker), "{:?}", changes.read_markers);
    Ok(())
}

/// Given a conversation that changed hands, then the new medic gets the names of its earlier senders.
pub async fn the_new_medic_knows_who_wrote_before(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let id = ada.open_own().await.id;
    ada.say(id, "Mine").await;
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(1) }).await?;
    let page = ben.history(id, None, None).await.expect("history");
    assert!(page.changes.people.iter().any(|row| row.id == ada.id));
    Ok(())
}

/// Given access that was lost and regained, then the newest change has a higher version than the older ones.
pub async fn losing_and_regaining_access_raises_the_version(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let ada = scene.medic(0).await;
    let id = ada.open_own().await.id;
    let mut cursor = ada.cursor().await;
    let mut versions = Vec::new();
    for owner in [1, 0, 1, 0] {
        scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(owner) }).await?;
        let caught = ada.catch_up(&cursor).await;
        cursor = caught.cursor;
        let [change] = &caught.changes.access[..] else { panic!("one change, got {:?}", caught.changes.access) };
        assert_eq!(change.access, if owner == 0 { Access::Grant } else { Access::Revoke });
        versions.push(change.version);
    }
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    Ok(())
}

/// Given a member who is removed, then her next pull revokes what she had, and brings nothing else.
pub async fn a_removed_member_gets_her_revocations(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let notices = admin.open_broadcast(scene.world.org_id, "Notices").await.id;
    let cursor = ada.cursor().await;
    scene.perform(Action::RemoveMember { person_id: ada.id }).await?;
    admin.say_all(notices, &["Not for her"]).await;

    let caught = ada.catch_up(&cursor).await;
    let mut revoked: Vec<_> =
        caught.changes.access.iter().map(|row| (row.conversation_id, row.access.clone())).collect();
    revoked.sort();
    let mut expected = vec![(own, Access::Revoke), (notices, Access::Revoke)];
    expected.sort();
    assert_eq!(revoked, expected);
    assert_eq!((caught.changes.messages.len(), caught.changes.conversations.len()), (0, 0));
    assert_eq!(caught.digest, Some(ConversationDigest::of([])));
    assert_eq!(failure(ada.history(own, None, None).await), RemoteErrorKind::NotFound);
    Ok(())
}

/// Given a member who is removed, then the admin's list marks her as removed and keeps her name.
pub async fn others_see_that_somebody_was_removed(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let admin = scene.admin().await;
    let start = admin.bootstrap().await;
    let before = start.changes.people.iter().find(|row| row.id == scene.person(0)).expect("the medic").version;
    scene.perform(Action::RemoveMember { person_id: scene.person(0) }).await?;
    let changes = admin.catch_up(&start.cursor).await.changes;
    let row = changes.people.iter().find(|row| row.id == scene.person(0)).expect("the change arrives");
    assert_eq!((row.removed, &row.first_name), (true, &scene.world.medics[0].first_name));
    assert!(row.version > before);
    Ok(())
}

/// Given a medic who becomes an admin, then her cursor has expired and a new first load shows the org.
pub async fn a_change_of_role_expires_the_cursor(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let hidden = ben.open_own().await.id;
    let cursor = ada.cursor().await;
    scene.perform(Action::ChangeRole { person_id: ada.id, role: Role::OrgAdmin }).await?;
    assert_eq!(failure(ada.pull(&cursor, None).await), RemoteErrorKind::CursorExpired(ExpiredReason::Access));
    let page = ada.bootstrap().await;
    assert_eq!(page.me.map(|me| me.role), Some(Role::OrgAdmin));
    assert_eq!(page.changes.conversations.iter().map(|row| row.id).collect::<Vec<_>>(), [hidden]);
    assert!(ada.pull(&page.cursor, None).await.is_ok());
    Ok(())
}
