//! A search over the whole history: what a person types is found as on a device, by whoever may see it.

use super::{
    Action, Actor, Backend, Scene, Verdict,
    actor::{composed_at, failure, mutation},
};
use crate::{RemoteErrorKind, SearchRequest};
use fieldpost_domain::{
    Continuation, DeleteMessage, EditMessage, Intent, Mentions, MessageContent, MessageKind, SearchText, search::Term,
};

/// What a person types.
fn typed(text: &str) -> SearchRequest {
    let terms = SearchText::new(text).expect("a text that can be searched for").terms().to_vec();
    SearchRequest { terms, ..SearchRequest::default() }
}

/// The texts of the first page, newest first.
async fn found(who: &Actor<'_>, request: SearchRequest) -> Vec<String> {
    let page = who.search(request).await.expect("a page of hits");
    assert_eq!(page.changes.unreadable, [], "every row can be read");
    page.changes.messages.into_iter().filter_map(|message| message.content).collect()
}

/// Given messages in several conversations, when people search, then each finds what they may see, with who wrote it,
/// and nothing of others.
pub async fn everybody_finds_what_they_may_see(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ada, ben) = (scene.admin().await, scene.medic(0).await, scene.medic(1).await);
    let elsewhere = Scene::with_medics(backend, 1).await;
    let stranger = elsewhere.medic(0).await;
    let (hers, his, theirs) = (ada.open_own().await.id, ben.open_own().await.id, stranger.open_own().await.id);
    let all = admin.open_broadcast(scene.world.org_id, "All").await.id;
    ada.say(hers, "the pelican of Ada").await;
    ben.say(his, "the pelican of Ben").await;
    stranger.say(theirs, "the pelican elsewhere").await;
    admin.say(all, "a pelican for all").await;

    assert_eq!(found(&ada, typed("pelican")).await, ["a pelican for all", "the pelican of Ada"]);
    assert_eq!(found(&ben, typed("pelican")).await, ["a pelican for all", "the pelican of Ben"]);
    assert_eq!(found(&stranger, typed("pelican")).await, ["the pelican elsewhere"]);
    assert_eq!(found(&admin, typed("pelican ada")).await, ["the pelican of Ada"]);
    for hidden in [his, theirs] {
        let request = SearchRequest { conversation_id: Some(hidden), ..typed("pelican") };
        assert_eq!(found(&ada, request).await, [""; 0], "nor by naming the conversation");
    }
    let page = ada.search(typed("pelican")).await.expect("a page of hits");
    let mut people: Vec<_> = page.changes.people.iter().map(|person| person.id).collect();
    let mut wrote = vec![ada.id, admin.id];
    people.sort();
    wrote.sort();
    assert_eq!((people, page.next_after), (wrote, None));
    Ok(())
}

/// Given somebody who lost access, when they search, then they find nothing.
pub async fn who_was_removed_finds_nothing(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    ada.say(own, "a walrus").await;
    assert_eq!(found(&ada, typed("walrus")).await, ["a walrus"]);
    scene.perform(Action::RemoveMember { person_id: ada.id }).await?;
    assert_eq!(found(&ada, typed("walrus")).await, [""; 0]);
    Ok(())
}

/// Given a message with words of many kinds, when it is searched for, then it is found by what a device would find it by.
pub async fn a_search_means_what_it_means_on_a_device(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let message = "Stop at Gate-3: the crane’s hook, NEAR the “red door”. Straße İstanbul Zoë Ὀδυσσεύς ｆｉｌｌ 会議室 हिन्दी 캘린더 \
        か゚ が 👍🏽 👨‍👩‍👧 กำลัง ½ ẞ";
    ada.say(own, message).await;
    let parts = [
        "g",
        "gate",
        "gat ",
        "gate 3",
        "3 gate",
        "hook cra",
        "\"the crane\"",
        "\"crane the\"",
        "\"the cra",
        "gate-3",
        "3-gate",
        "crane's",
        "near",
        "gate AND crane",
        "gate*",
        "^stop",
        "content:gate",
        "(gate)",
        "'gate'",
        "gate\\",
        "gate & !crane",
        "STRASSE",
        "strasse",
        "istanbul",
        "ZOE",
        "zoe\u{308}",
        "οδυσσευσ",
        "fill",
        "議室",
        "会室",
        "हिन्दी",
        "हि",
        "캘린",
        "か",
        "が",
        "👍",
        "👨‍👩‍👧",
        "👨",
        "กำ",
        "ก",
        "½",
        "1",
        "ss",
        "",
        "\"\"",
        "!",
    ];
    for text in parts {
        let wanted = SearchText::new(text).expect("a text").rank(message).is_some();
        assert_eq!(found(&ada, typed(text)).await.len(), usize::from(wanted), "{text:?}");
    }
    Ok(())
}

/// Given messages that change, when they are searched for, then an edit is found by its new text only, and nothing that was
/// deleted.
pub async fn edits_are_found_by_their_new_text_and_deleted_messages_never(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let own = ada.open_own().await.id;
    let sent = ada.say_all(own, &["marmalade one", "marmalade two", "marmalade three", "marmalade four"]).await;
    ada.push_one(Intent::EditMessage(EditMessage {
        conversation_id: own,
        message_id: sent[0].message_id,
        content: MessageContent::new("quince").expect("a text"),
        mentions: Mentions::new(),
    }))
    .await;
    let gone = mutation(Intent::DeleteMessage(DeleteMessage {
        conversation_id: own,
        message_id: sent[1].message_id,
        deleted_at: composed_at(),
    }));
    ada.push(&[gone]).await;
    scene.perform(Action::HardDelete { id: sent[2].message_id }).await?;
    assert_eq!(found(&ada, typed("marmalade")).await, ["marmalade four"]);
    assert_eq!(found(&ada, typed("quince")).await, ["quince"]);
    Ok(())
}

/// Given many hits, when they are fetched in pages, then every one comes once, newest first, and the filters hold.
pub async fn pages_of_hits_have_every_hit_once(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 2).await;
    let (admin, ada) = (scene.admin().await, scene.medic(0).await);
    let (own, other) = (ada.open_own().await.id, scene.medic(1).await.open_own().await.id);
    let texts: Vec<String> = (1..=23).map(|number| format!("needle {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    // Many at once have one time.
    let mut sent = ada.say_all(own, &texts).await;
    sent.extend(admin.say_all(own, &texts[..9]).await);
    sent.extend(admin.say_all(other, &texts[..11]).await);

    let (mut hits, mut after) = (Vec::new(), None);
    loop {
        let page =
            admin.search(SearchRequest { after, limit: Some(4), ..typed("need") }).await.expect("a page of hits");
        assert!(page.changes.messages.len() <= 4);
        hits.extend(page.changes.messages);
        after = page.next_after;
        assert!(hits.len() <= sent.len(), "no hit comes twice");
        if after.is_none() {
            break;
        }
    }
    assert!(hits.windows(2).all(|pair| (pair[0].created_at, pair[0].id) > (pair[1].created_at, pair[1].id)));
    let (mut ids, mut wanted): (Vec<_>, Vec<_>) =
        (hits.iter().map(|hit| hit.id).collect(), sent.iter().map(|ack| ack.message_id).collect());
    ids.sort();
    wanted.sort();
    assert_eq!(ids, wanted);

    let count = async |request| found(&admin, request).await.len();
    let needle = typed("needle");
    assert_eq!(count(SearchRequest { conversation_id: Some(own), ..needle.clone() }).await, 32);
    assert_eq!(count(SearchRequest { sender_id: Some(ada.id), ..needle.clone() }).await, 23);
    assert_eq!(count(SearchRequest { kind: Some(MessageKind::Attachment), ..needle.clone() }).await, 0);
    let between = hits[10].created_at;
    let (newer, older) = hits.iter().partition::<Vec<_>, _>(|hit| hit.created_at >= between);
    assert_eq!(count(SearchRequest { since: Some(between), ..needle.clone() }).await, newer.len());
    assert_eq!(count(SearchRequest { until: Some(between), ..needle.clone() }).await, older.len());
    let one = admin.search(SearchRequest { bytes: Some(1), ..needle }).await.expect("a page of hits");
    assert_eq!((one.changes.messages.len(), one.next_after.is_some()), (1, true));
    Ok(())
}

/// Given a search that is none, when it is sent, then it is refused.
pub async fn a_search_that_is_none_is_refused(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let words = |count: usize| vec![Term { words: vec!["a".to_owned(); count], open: false }];
    let bad = [
        SearchRequest { terms: words(10_000), ..SearchRequest::default() },
        SearchRequest { terms: (0..10_000).flat_map(|_| words(1)).collect(), ..SearchRequest::default() },
        SearchRequest { terms: words(0), ..SearchRequest::default() },
        SearchRequest { limit: Some(0), ..typed("a") },
        SearchRequest { after: Some(Continuation::new("yesterday")), ..typed("a") },
    ];
    for request in bad {
        assert_eq!(failure(ada.search(request.clone()).await), RemoteErrorKind::BadRequest, "{:?}", request.limit);
    }
    assert_eq!(found(&ada, SearchRequest::default()).await, [""; 0], "no words find nothing");
    let longest = "½".repeat(500);
    assert_eq!(found(&ada, typed(&longest)).await, [""; 0], "all that a person can type is searched for");
    Ok(())
}
