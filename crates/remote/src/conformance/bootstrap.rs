//! The first load.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{failure, seqs},
};
use crate::{BootstrapRequest, ExpiredReason, RemoteErrorKind};
use fieldpost_domain::{BootstrapPage, Continuation, ConversationDigest, ConversationId, Role};
use std::collections::BTreeSet;

fn conversations(pages: &[BootstrapPage]) -> Vec<ConversationId> {
    pages.iter().flat_map(|page| &page.changes.conversations).map(|row| row.id).collect()
}

/// Given a medic without a conversation, when she bootstraps, then she gets her own row and the cursor for pulling.
pub async fn a_new_member_sees_herself_and_nothing_else(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let page = scene.medic(0).await.bootstrap().await;
    let me = page.me.expect("a member has a row");
    assert_eq!((me.id, &me.role, me.org_id), (scene.person(0), &Role::Medic, scene.world.org_id));
    assert_eq!((me.medic_id, me.removed), (scene.world.medics[0].medic_id, false));
    assert_eq!((me.first_name, me.last_name), {
        let member = &scene.world.medics[0];
        (member.first_name.clone(), member.last_name.clone())
    });
    assert_eq!((page.total_conversations, page.changes.conversations.len(), page.changes.messages.len()), (0, 0, 0));
    assert_eq!((page.next_after, page.digest), (None, Some(ConversationDigest::of([]))));
    Ok(())
}

/// Given somebody whose membership ended, when she bootstraps, then there is no `me` and there are no rows.
pub async fn somebody_without_a_membership_sees_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    ada.open_own().await;
    scene.perform(Action::RemoveMember { person_id: ada.id }).await?;
    let page = ada.bootstrap().await;
    assert_eq!((page.me, page.total_conversations, page.next_after), (None, 0, None));
    assert!(page.changes.is_empty(), "{:?}", page.changes);
    assert_eq!(page.digest, Some(ConversationDigest::of([])));
    Ok(())
}

/// Given three conversations, when somebody writes in the oldest, then it comes first.
pub async fn conversations_come_newest_activity_first(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 3).await;
    let admin = scene.admin().await;
    let mut opened = Vec::new();
    for index in 0..3 {
        let id = admin.open_with(scene.medic_id(index), scene.world.org_id).await.id;
        admin.say(id, "Hello").await;
        opened.push(id);
    }
    admin.say(opened[0], "Anything new?").await;
    let pages = admin.bootstrap_pages(None, None).await;
    assert_eq!(conversations(&pages), [opened[0], opened[2], opened[1]]);
    Ok(())
}

/// Given a conversation of five, when a bootstrap asks for three, then the last three come.
pub async fn each_conversation_brings_its_last_messages(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    ada.say_all(own, &["1", "2", "3", "4", "5"]).await;
    let pages = ada.bootstrap_pages(None, Some(3)).await;
    let mut found: Vec<_> = pages.iter().flat_map(|page| seqs(&page.changes.messages)).collect();
    found.sort_unstable();
    assert_eq!(found, [3, 4, 5]);
    let row = &pages[0].changes.conversations[0];
    assert_eq!((row.last_seq.get(), row.last_message_preview.as_deref()), (5, Some("5")));
    Ok(())
}

/// Given a conversation of five, when a page holds two messages, then its newest two come and another page follows.
pub async fn a_conversation_larger_than_a_page_brings_its_newest_messages(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    ada.say_all(own, &["1", "2", "3", "4", "5"]).await;
    let pages = ada.bootstrap_pages(Some(2), None).await;
    assert_eq!(conversations(&pages), [own]);
    let mut found: Vec<_> = pages.iter().flat_map(|page| seqs(&page.changes.messages)).collect();
    found.sort_unstable();
    assert_eq!(found, [4, 5]);
    Ok(())
}

/// Given messages, when a bootstrap asks for none, then the rows come without them.
pub async fn no_messages_may_be_asked_for(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    ada.say(own, "Hello").await;
    let pages = ada.bootstrap_pages(None, Some(0)).await;
    assert_eq!(conversations(&pages), [own]);
    assert!(pages.iter().all(|page| page.changes.messages.is_empty()));
    Ok(())
}

/// Given more messages than fit on a page, when all pages are fetched, then every conversation came once, complete.
pub async fn pages_cover_every_conversation_once(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (org_id, sender_id) = (scene.world.org_id, scene.world.admin.person_id);
    scene.perform(Action::SeedConversations { org_id, sender_id, count: 7, messages_each: 3 }).await?;
    let pages = scene.admin().await.bootstrap_pages(Some(5), Some(100)).await;
    let found = conversations(&pages);
    assert_eq!((found.len(), found.iter().collect::<BTreeSet<_>>().len()), (7, 7));
    let messages: BTreeSet<_> = pages.iter().flat_map(|page| &page.changes.messages).map(|row| row.id).collect();
    assert_eq!(messages.len(), 21);
    assert!(pages.iter().all(|page| page.changes.messages.len() <= 5), "a page holds no more than it may");
    assert!(pages.len() >= 5);
    Ok(())
}

/// Given a bootstrap of several pages, then each has `me`, the number of conversations, and the same cursor.
pub async fn every_page_tells_progress_and_the_same_cursor(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 0).await;
    let (org_id, sender_id) = (scene.world.org_id, scene.world.admin.person_id);
    scene.perform(Action::SeedConversations { org_id, sender_id, count: 3, messages_each: 2 }).await?;
    let pages = scene.admin().await.bootstrap_pages(Some(2), None).await;
    assert!(pages.len() >= 3);
    for page in &pages {
        assert_eq!(page.total_conversations, 3);
        assert_eq!(page.cursor, pages[0].cursor);
        assert_eq!(page.me.as_ref().map(|me| me.id), Some(sender_id));
    }
    Ok(())
}

/// Given a running bootstrap, when the last conversation of its list becomes the newest, then the list does not change.
pub async fn the_list_is_fixed_when_the_bootstrap_starts(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 0).await;
    let (org_id, sender_id) = (scene.world.org_id, scene.world.admin.person_id);
    scene.perform(Action::SeedConversations { org_id, sender_id, count: 4, messages_each: 2 }).await?;
    let admin = scene.admin().await;
    let order = conversations(&admin.bootstrap_pages(None, None).await);

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let request = BootstrapRequest { after, limit: Some(2), messages: Some(2), bytes: None };
        let page = admin.bootstrap_with(request).await.expect("a page");
        found.extend(page.changes.conversations.iter().map(|row| row.id));
        let Some(next) = page.next_after else { break };
        after = Some(next);
        admin.say(order[3], "Me first").await;
        admin.say(order[0], "No, me").await;
    }
    assert_eq!(found, order);
    Ok(())
}

/// Given a running bootstrap, when somebody writes, then the first pull after it brings the message.
pub async fn what_is_written_during_a_bootstrap_is_in_the_first_pull(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (org_id, sender_id) = (scene.world.org_id, scene.world.admin.person_id);
    scene.perform(Action::SeedConversations { org_id, sender_id, count: 3, messages_each: 1 }).await?;
    let admin = scene.admin().await;
    let first = admin.bootstrap_with(BootstrapRequest { limit: Some(1), ..Default::default() }).await.expect("a page");
    let sent = admin.say(first.changes.conversations[0].id, "While you were loading").await;
    let opened = admin.open_with(scene.medic_id(0), org_id).await.id;

    let (mut after, mut cursor) = (first.next_after, first.cursor);
    while let Some(next) = after {
        let request = BootstrapRequest { after: Some(next), limit: Some(1), messages: None, bytes: None };
        let page = admin.bootstrap_with(request).await.expect("a page");
        (after, cursor) = (page.next_after, page.cursor);
    }
    let caught = admin.catch_up(&cursor).await.changes;
    assert!(caught.messages.iter().any(|row| row.id == sent.message_id));
    assert!(caught.conversations.iter().any(|row| row.id == opened));
    Ok(())
}

/// Given medics who never wrote, when an admin bootstraps, then she gets them all: she sees the whole roster.
pub async fn an_admin_gets_all_people_of_the_org(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 4).await;
    for limit in [None, Some(1)] {
        let pages = scene.admin().await.bootstrap_pages(limit, None).await;
        let people: BTreeSet<_> = pages.iter().flat_map(|page| &page.changes.people).map(|row| row.id).collect();
        let me = pages[0].me.as_ref().map(|me| me.id);
        for member in &scene.world.medics {
            assert!(people.contains(&member.person_id));
        }
        assert!(people.contains(&scene.world.admin.person_id) || me == Some(scene.world.admin.person_id));
    }
    Ok(())
}

/// Given pages, then every person that a page names is on it or on an earlier page.
pub async fn people_of_a_page_hold_everybody_its_rows_name(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 3).await;
    let admin = scene.admin().await;
    for index in 0..3 {
        let medic = scene.medic(index).await;
        let own = medic.open_own().await.id;
        medic.say(own, "Here").await;
        admin.say(own, "Good").await;
    }
    for page in admin.bootstrap_pages(Some(2), None).await {
        let people: BTreeSet<_> = page.changes.people.iter().map(|row| row.id).collect();
        let medics: BTreeSet<_> = page.changes.people.iter().filter_map(|row| row.medic_id).collect();
        assert!(page.changes.messages.iter().all(|row| people.contains(&row.sender_id)));
        assert!(page.changes.conversations.iter().filter_map(|row| row.medic_id).all(|id| medics.contains(&id)));
        assert!(page.changes.conversations.iter().all(|row| people.contains(&row.created_by)));
    }
    Ok(())
}

/// Given a conversation read in part, then its marker and its unread count come with it.
pub async fn markers_and_unread_counts_come_along(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    admin.say_all(own, &["1", "2", "3"]).await;
    ada.say(own, "4").await;
    ada.mark(own, 1).await;
    let page = ada.bootstrap().await;
    assert_eq!(page.changes.conversations[0].unread, 2, "her own message does not count");
    let marker = page.changes.read_markers.iter().find(|row| row.person_id == ada.id).expect("her marker");
    assert_eq!((marker.conversation_id, marker.read_seq.get()), (own, 1));
    Ok(())
}

/// Given a bootstrap of several pages, then only the last has the digest, and it covers what the caller may see.
pub async fn the_digest_comes_last_and_is_of_the_visible_ids(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 0).await;
    let (org_id, sender_id) = (scene.world.org_id, scene.world.admin.person_id);
    scene.perform(Action::SeedConversations { org_id, sender_id, count: 3, messages_each: 1 }).await?;
    let pages = scene.admin().await.bootstrap_pages(Some(1), None).await;
    let (last, before) = pages.split_last().expect("a page");
    assert!(before.iter().all(|page| page.digest.is_none()));
    assert_eq!(last.digest, Some(ConversationDigest::of(conversations(&pages))));
    Ok(())
}

/// Given a continuation that no server wrote, then it has expired and the bootstrap starts again.
pub async fn a_continuation_that_cannot_be_read_has_expired(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let request = BootstrapRequest { after: Some(Continuation::new("made-up")), ..Default::default() };
    let kind = failure(scene.medic(0).await.bootstrap_with(request).await);
    assert_eq!(kind, RemoteErrorKind::CursorExpired(ExpiredReason::Invalid));
    Ok(())
}
