//! Older messages, on demand.

use super::{Action, Backend, Scene, Verdict, actor::seqs, fresh};
use crate::RemoteErrorKind;
use fieldpost_domain::{Seq, SeqRange, TombstoneOf};

const fn range(from: u64, to: u64) -> SeqRange {
    SeqRange { from: Seq::new(from), to: Seq::new(to) }
}

/// Given ten messages, when four are asked for, then the newest four come, ascending.
pub async fn the_newest_page_is_ascending_and_covers_its_range(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    ada.say_all(own, &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]).await;
    let page = ada.history(own, None, Some(4)).await.expect("a page");
    assert_eq!(seqs(&page.changes.messages), [7, 8, 9, 10]);
    assert_eq!((page.range, page.complete), (range(7, 10), false));
    let whole = ada.history(own, None, None).await.expect("a page");
    assert_eq!((whole.range, whole.complete), (range(1, 10), true));
    Ok(())
}

/// Given seven messages, when paging down by three, then the pages join without a gap and the last one says so.
pub async fn pages_go_down_to_the_beginning_without_a_gap(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    ada.say_all(own, &["1", "2", "3", "4", "5", "6", "7"]).await;
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let page = ada.history(own, before, Some(3)).await.expect("a page");
        assert_eq!(page.range.to.get(), before.map_or(7, |before| before - 1));
        found.splice(0..0, seqs(&page.changes.messages));
        before = Some(page.range.from.get());
        if page.complete {
            break;
        }
    }
    assert_eq!((found, before), ((1..=7).collect(), Some(1)));
    let below = ada.history(own, Some(1), None).await.expect("a page below the first");
    assert!(below.complete && below.changes.messages.is_empty() && below.range.to < below.range.from);
    Ok(())
}

/// Given an empty conversation, then its history is complete.
pub async fn an_empty_conversation_is_complete(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let page = ada.history(own, None, None).await.expect("a page");
    assert_eq!((page.range, page.complete, page.changes.messages.len()), (range(1, 0), true, 0));
    Ok(())
}

/// Given hard-deleted messages, then the page covers their numbers too and lists their tombstones.
pub async fn a_hole_was_deleted_for_good(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let acks = ada.say_all(own, &["1", "2", "3", "4", "5"]).await;
    for gone in [&acks[1], &acks[4]] {
        scene.perform(Action::HardDelete { id: gone.message_id }).await?;
    }
    let page = ada.history(own, None, None).await.expect("a page");
    assert_eq!(seqs(&page.changes.messages), [1, 3, 4]);
    assert_eq!((page.range, page.complete), (range(1, 5), true));
    let mut gone: Vec<_> = page.changes.tombstones.iter().map(|row| row.of).collect();
    gone.sort_by_key(|of| match of {
        TombstoneOf::Message { seq, .. } => *seq,
        TombstoneOf::Conversation => Seq::ZERO,
    });
    let expected = [&acks[1], &acks[4]].map(|ack| TombstoneOf::Message { id: ack.message_id, seq: ack.seq });
    assert_eq!(gone, expected);
    Ok(())
}

/// Given a soft-deleted message, then its row is in the page, without content.
pub async fn a_soft_delete_keeps_its_place(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let acks = ada.say_all(own, &["1", "2", "3"]).await;
    scene.perform(Action::SoftDelete { id: acks[1].message_id }).await?;
    let page = ada.history(own, None, None).await.expect("a page");
    assert_eq!(seqs(&page.changes.messages), [1, 2, 3]);
    assert!(page.changes.messages[1].deleted_at.is_some() && page.changes.messages[1].content.is_none());
    Ok(())
}

/// Given a conversation, then its history brings its current row and its senders.
pub async fn history_brings_the_row_and_the_people(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let (ada, admin) = (scene.medic(0).await, scene.admin().await);
    let own = ada.open_own().await.id;
    ada.say(own, "Hello").await;
    admin.say(own, "Hello Ada").await;
    let page = ada.history(own, None, None).await.expect("a page");
    assert_eq!(page.conversation_id, own);
    let row = page.conversation.expect("its row");
    assert_eq!((row.id, row.last_seq.get(), row.unread), (own, 2, 1));
    for person in [ada.id, admin.id] {
        assert!(page.changes.people.iter().any(|row| row.id == person));
    }
    Ok(())
}

/// Given another medic's conversation, when its history is requested, then the answer is the same as for none.
pub async fn a_hidden_conversation_is_not_told_from_none(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (ada, ben) = (scene.medic(0).await, scene.medic(1).await);
    let hidden = ben.open_own().await.id;
    let hidden = ada.history(hidden, None, None).await.expect_err("it is hidden");
    let none = ada.history(fresh::conversation_id(), None, None).await.expect_err("there is none");
    assert_eq!((hidden.kind(), none.kind()), (RemoteErrorKind::NotFound, RemoteErrorKind::NotFound));
    assert_eq!(hidden.to_string(), none.to_string());
    Ok(())
}
