//! No call ever delivers what a policy hides.

use super::{
    Action, Actor, Backend, Scene, Verdict,
    actor::{failure, mutation, refused, send},
    fresh,
};
use crate::{ExpiredReason, RemoteErrorKind};
use fieldpost_domain::{Changes, ConversationId, Cursor, Intent, MarkRead, PersonId, RefusalCode, Seq, TombstoneOf};
use std::collections::BTreeSet;

/// Everything that somebody receives from a cursor on, and in a bootstrap with pages of every size.
async fn told(who: &Actor<'_>, since: &Cursor) -> Vec<Changes> {
    let mut all = vec![who.catch_up(since).await.changes, who.catch_up_by(since, Some(1)).await.changes];
    for limit in [None, Some(1)] {
        all.extend(who.bootstrap_pages(limit, None).await.into_iter().map(|page| page.changes));
    }
    all
}

/// The conversations that these rows belong to.
fn about(all: &[Changes]) -> BTreeSet<ConversationId> {
    let mut found = BTreeSet::new();
    for changes in all {
        found.extend(changes.conversations.iter().map(|row| row.id));
        found.extend(changes.messages.iter().map(|row| row.conversation_id));
        found.extend(changes.read_markers.iter().map(|row| row.conversation_id));
        found.extend(changes.tombstones.iter().map(|row| row.conversation_id));
        found.extend(changes.access.iter().map(|row| row.conversation_id));
    }
    found
}

fn people(all: &[Changes]) -> BTreeSet<PersonId> {
    all.iter().flat_map(|changes| &changes.people).map(|row| row.id).collect()
}

/// Given two orgs, when everything happens in one, then the other's admin and medic receive nothing.
pub async fn nothing_of_another_org_arrives(backend: &dyn Backend) -> Verdict {
    let (here, there) = (Scene::with_medics(backend, 1).await, Scene::with_medics(backend, 1).await);
    let watchers = [here.admin().await, here.medic(0).await];
    let cursors = [watchers[0].cursor().await, watchers[1].cursor().await];
    let (ada, admin) = (there.medic(0).await, there.admin().await);
    let own = ada.open_own().await.id;
    admin.open_broadcast(there.world.org_id, "Notices").await;
    let gone = ada.say(own, "Secret").await;
    admin.mark(own, 1).await;
    there.perform(Action::HardDelete { id: gone.message_id }).await?;
    for (watcher, cursor) in watchers.iter().zip(&cursors) {
        let told = told(watcher, cursor).await;
        assert_eq!(about(&told), BTreeSet::new());
        let strangers = BTreeSet::from([ada.id, admin.id]);
        assert!(people(&told).is_disjoint(&strangers));
        assert_eq!(failure(watcher.history(own, None, None).await), RemoteErrorKind::NotFound);
    }
    Ok(())
}

/// Given two medics of one org, when one talks to the admin, then the other receives nothing of it.
pub async fn nothing_of_another_medic_arrives(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben, admin) = (scene.medic(0).await, scene.medic(1).await, scene.admin().await);
    let (hers, his) = (ada.open_own().await.id, ben.open_own().await.id);
    let cursor = ben.cursor().await;
    let ack = ada.say(hers, "Only for the office").await;
    admin.say(hers, "Understood").await;
    admin.mark(hers, 1).await;
    ada.mark(hers, 2).await;
    scene.perform(Action::EditMessage { id: ack.message_id, content: "Between us".to_owned() }).await?;
    let told = told(&ben, &cursor).await;
    assert_eq!(about(&told), BTreeSet::from([his]));
    assert!(!people(&told).contains(&ada.id));
    Ok(())
}

/// Given colleagues, then a medic does not learn who they are; an admin does.
pub async fn a_medic_does_not_learn_of_her_colleagues(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 3).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let cursor = ada.cursor().await;
    let notices = admin.open_broadcast(scene.world.org_id, "Notices").await.id;
    admin.say(notices, "To all").await;
    for index in 1..3 {
        scene.medic(index).await.mark(notices, 1).await;
    }
    let known = people(&told(&ada, &cursor).await);
    assert!(known.contains(&admin.id));
    assert!(known.is_subset(&BTreeSet::from([ada.id, admin.id])), "{known:?}");
    Ok(())
}

/// Given the admin's cursor and continuation, when a medic sends them, then she sees no more than with her own.
pub async fn another_persons_cursor_opens_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben, admin) = (scene.medic(0).await, scene.medic(1).await, scene.admin().await);
    let stolen = admin.cursor().await;
    let hidden = ben.open_own().await.id;
    ben.say(hidden, "Secret").await;
    match ada.pull(&stolen, None).await {
        Ok(page) => assert_eq!(about(&[page.changes]), BTreeSet::new()),
        Err(error) => assert!(matches!(error.kind(), RemoteErrorKind::CursorExpired(_))),
    }
    let start = admin.bootstrap_with(crate::BootstrapRequest { limit: Some(1), ..Default::default() }).await;
    let after = start.expect("a page").next_after;
    let request = crate::BootstrapRequest { after, ..Default::default() };
    match ada.bootstrap_with(request).await {
        Ok(page) => assert_eq!(about(&[page.changes]), BTreeSet::new()),
        Err(error) => {
            let reason = RemoteErrorKind::CursorExpired(ExpiredReason::Access);
            assert!(matches!(error.kind(), RemoteErrorKind::CursorExpired(_)), "{error} is not like {reason:?}");
        }
    }
    Ok(())
}

/// Given a conversation that a medic never saw, when it or a message of it is deleted, then she receives nothing.
pub async fn tombstones_of_hidden_conversations_do_not_arrive(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 3).await;
    let (ada, ben, cleo) = (scene.medic(0).await, scene.medic(1).await, scene.medic(2).await);
    let (of_ben, of_cleo) = (ben.open_own().await.id, cleo.open_own().await.id);
    let gone = ben.say(of_ben, "Secret").await.message_id;
    let cursor = ada.cursor().await;
    scene.perform(Action::HardDelete { id: gone }).await?;
    scene.perform(Action::DeleteConversation { id: of_cleo }).await?;
    assert_eq!(about(&told(&ada, &cursor).await), BTreeSet::new());
    assert_eq!(refused(&ada.push(&[send(ada.draft(of_cleo, "Peek"))]).await[0]), RefusalCode::NotFound);
    Ok(())
}

/// Given a hard-deleted message, when its conversation changes hands and is deleted, then the former medic learns only
/// that she lost access, and the later one only that the conversation is gone.
pub async fn a_former_medic_learns_nothing_of_what_was_deleted(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let id = ada.open_own().await.id;
    let gone = ada.say(id, "Secret").await.message_id;
    let cursors = (ada.cursor().await, ben.cursor().await);
    scene.perform(Action::HardDelete { id: gone }).await?;
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(1) }).await?;
    scene.perform(Action::DeleteConversation { id }).await?;
    let deleted = |pages: Vec<Changes>| -> Vec<_> { pages.into_iter().flat_map(|page| page.tombstones).collect() };
    assert_eq!(deleted(told(&ada, &cursors.0).await), []);
    let learnt = deleted(told(&ben, &cursors.1).await);
    assert!(!learnt.is_empty());
    assert!(learnt.iter().all(|one| one.of == TombstoneOf::Conversation && one.conversation_id == id), "{learnt:?}");
    Ok(())
}

/// Given a conversation that changes hands, then a third medic receives nothing.
pub async fn access_changes_of_others_do_not_arrive(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 3).await;
    let (ada, cleo) = (scene.medic(0).await, scene.medic(2).await);
    let id = ada.open_own().await.id;
    let cursor = cleo.cursor().await;
    scene.perform(Action::ReassignMedic { id, medic_id: scene.medic_id(1) }).await?;
    assert_eq!(about(&told(&cleo, &cursor).await), BTreeSet::new());
    Ok(())
}

/// Given ids of hidden rows, when a medic pushes with them, then every answer is the same as for rows that do not
/// exist.
pub async fn a_push_reveals_nothing_hidden(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let (hers, hidden) = (ada.open_own().await.id, ben.open_own().await.id);
    let secret = ben.say(hidden, "Secret").await.message_id;
    let (mut there, mut here) = (ada.draft(hidden, "Peek"), ada.draft(hers, "Peek"));
    (there.id, here.id) = (secret, secret);
    let mark = |conversation_id| mutation(Intent::MarkRead(MarkRead { conversation_id, read_seq: Seq::new(1) }));
    let outcomes = ada.push(&[send(there), send(here), mark(hidden), mark(fresh::conversation_id())]).await;
    assert_eq!(refused(&outcomes[0]), RefusalCode::NotFound);
    assert_eq!(refused(&outcomes[1]), RefusalCode::IdTaken);
    assert_eq!(outcomes[2], outcomes[3]);
    Ok(())
}
