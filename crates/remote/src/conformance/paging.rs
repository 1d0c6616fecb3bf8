//! Passes of several pages: every row comes once, whatever happens in between.

use super::{
    Action, Backend, Scene, Verdict,
    actor::{failure, ids},
};
use crate::{BootstrapRequest, RemoteErrorKind};
use fieldpost_domain::{ConversationDigest, MessageId, ServerLimits};
use std::collections::{BTreeMap, BTreeSet};

fn counted(messages: &[MessageId]) -> BTreeMap<MessageId, usize> {
    messages.iter().fold(BTreeMap::new(), |mut counts, id| {
        *counts.entry(*id).or_default() += 1;
        counts
    })
}

/// Given forty messages, when pages hold one, three or seven rows, then each message comes exactly once.
pub async fn tiny_pages_bring_every_row_once(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let admin = scene.admin().await;
    let cursor = admin.cursor().await;
    let mut expected = BTreeSet::new();
    for index in 0..2 {
        let medic = scene.medic(index).await;
        let own = medic.open_own().await.id;
        for batch in 0..4 {
            let texts: Vec<_> = (0..5).map(|number| format!("{batch}.{number}")).collect();
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            expected.extend(medic.say_all(own, &texts).await.into_iter().map(|ack| ack.message_id));
        }
    }
    for limit in [1, 3, 7] {
        let caught = admin.catch_up_by(&cursor, Some(limit)).await;
        let counts = counted(&ids(&caught.changes.messages));
        assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), expected);
        assert!(counts.values().all(|count| *count == 1), "a row came twice with pages of {limit}");
        assert!(caught.pages > 40 / 7);
    }
    Ok(())
}

/// Given a page whose response was lost, when it is requested again, then it has the same rows and the pass goes on.
pub async fn a_page_may_be_asked_for_again(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    let acks = ada.say_all(own, &["1", "2", "3", "4"]).await;
    let lost = admin.pull(&cursor, Some(2)).await.expect("a page");
    let again = admin.pull(&cursor, Some(2)).await.expect("the page again");
    assert_eq!(ids(&lost.changes.messages), ids(&again.changes.messages));
    let mut found: BTreeSet<_> = ids(&again.changes.messages).into_iter().collect();
    found.extend(ids(&admin.catch_up(&again.cursor).await.changes.messages));
    assert_eq!(found, acks.iter().map(|ack| ack.message_id).collect());
    Ok(())
}

/// Given a running pass, when somebody writes, then this pass or the next one brings the message.
pub async fn what_is_written_during_a_pass_is_in_the_next_one(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    let mut written: BTreeSet<_> = ada.say_all(own, &["1", "2", "3"]).await.iter().map(|ack| ack.message_id).collect();
    let (mut found, mut at, mut pages) = (Vec::new(), cursor, 0);
    loop {
        let page = admin.pull(&at, Some(1)).await.expect("a page");
        found.extend(ids(&page.changes.messages));
        at = page.cursor;
        pages += 1;
        assert!(pages < 50, "a pass ends although somebody keeps writing");
        if !page.more {
            break;
        }
        written.insert(ada.say(own, "Meanwhile").await.message_id);
    }
    found.extend(ids(&admin.catch_up(&at).await.changes.messages));
    assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), written);
    assert!(counted(&found).values().all(|count| *count == 1));
    Ok(())
}

/// Given a running pass, when a row that it has not reached yet changes, then the new state still comes.
pub async fn a_row_that_changes_during_a_pass_is_not_lost(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    let acks = ada.say_all(own, &["1", "2", "3", "4"]).await;
    let first = admin.pull(&cursor, Some(1)).await.expect("a page");
    for ack in &acks {
        scene.perform(Action::EditMessage { id: ack.message_id, content: format!("edited {}", ack.seq) }).await?;
    }
    let rest = admin.catch_up_by(&first.cursor, Some(1)).await;
    let after = admin.catch_up(&rest.cursor).await.changes.messages;
    let newest: BTreeMap<_, _> = rest.changes.messages.iter().chain(&after).map(|row| (row.id, row)).collect();
    for ack in &acks {
        assert_eq!(newest[&ack.message_id].content, Some(format!("edited {}", ack.seq)));
    }
    Ok(())
}

/// Given thirty conversations written at once, when pages hold four rows, then all of them arrive.
pub async fn a_pass_over_many_conversations_is_complete(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 0).await;
    let admin = scene.admin().await;
    let cursor = admin.cursor().await;
    let (org_id, sender_id) = (scene.world.org_id, admin.id);
    scene.perform(Action::SeedConversations { org_id, sender_id, count: 30, messages_each: 2 }).await?;
    let caught = admin.catch_up_by(&cursor, Some(4)).await;
    let conversations: BTreeSet<_> = caught.changes.conversations.iter().map(|row| row.id).collect();
    assert_eq!(conversations.len(), 30);
    assert_eq!(counted(&ids(&caught.changes.messages)).len(), 60);
    assert_eq!(caught.digest, Some(ConversationDigest::of(conversations)));
    Ok(())
}

/// Given a pass of several pages, then the digest comes with the last one only.
pub async fn the_digest_comes_when_there_is_no_more(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    let cursor = admin.cursor().await;
    ada.say_all(own, &["1", "2", "3"]).await;
    // `catch_up_by` asserts this page by page.
    let caught = admin.catch_up_by(&cursor, Some(1)).await;
    assert!(caught.pages >= 3);
    assert_eq!(caught.digest, Some(ConversationDigest::of([own])));
    Ok(())
}

/// Given any page, then it states the server's limits.
pub async fn a_page_says_what_the_server_accepts(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let start = ada.bootstrap().await;
    let page = ada.pull(&start.cursor, None).await.expect("a page");
    assert_eq!((start.limits, page.limits), (ServerLimits::default(), ServerLimits::default()));
    Ok(())
}

/// Given a page limit of zero, then every call rejects it: such a page would never advance.
pub async fn a_page_of_nothing_is_a_bad_request(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let (own, cursor) = (ada.open_own().await.id, ada.cursor().await);
    let none = BootstrapRequest { limit: Some(0), ..BootstrapRequest::default() };
    let kinds = [
        failure(ada.bootstrap_with(none).await),
        failure(ada.pull(&cursor, Some(0)).await),
        failure(ada.history(own, None, Some(0)).await),
    ];
    assert_eq!(kinds, [RemoteErrorKind::BadRequest; 3]);
    Ok(())
}
