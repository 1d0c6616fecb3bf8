//! Searching what the server has too, over real sockets and files.

use crate::given::*;
use fieldpost::{
    Client, ConversationId, Error, FoundHits, HitSource, NotSearched, OpenAt, SearchQuery, TimelineItem,
    TimelineOptions,
};
use fieldpost_devserver::{DevServer, Endpoint, Fault};
use fieldpost_domain::Capability;
use fieldpost_remote::reference::{DEMO_PASSWORD, ReferenceServer};
use fieldpost_tests::Phone;

/// Ada's phone, which holds the newest 100 of 150 messages: the first 30, of which 5 have a word more, are on the server only.
async fn site() -> (Site, Phone, Client, ConversationId) {
    let site = Site::new().await;
    let (_, admin) = site.client(ADMIN).await;
    let thread = adas(&admin).await;
    let writer = site.reference.person_with(ADMIN).unwrap();
    let texts: Vec<_> = (1..=150).map(|n| format!("crane {n}{}", if n <= 5 { " walrus" } else { "" })).collect();
    site.reference.insert_messages(thread, writer, &texts);
    let (phone, ada) = site.client(ADA).await;
    (site, phone, ada, thread)
}

fn query(text: &str) -> SearchQuery {
    SearchQuery::typed(text).unwrap()
}

async fn first(client: &Client, text: &str) -> FoundHits {
    client.search_with_server(query(text).limit(20)).next_page().await.unwrap()
}

fn texts(page: &FoundHits) -> Vec<&str> {
    page.hits.iter().map(|found| found.hit.message.content.as_deref().unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn older_messages_than_the_devices_are_found_and_can_be_opened() {
    let (site, _phone, ada, thread) = site().await;
    let word = query("WALR");
    assert!(ada.search(&word).await.unwrap().hits.is_empty(), "the device has none of them");

    let page = first(&ada, "WALR").await;

    assert!(page.is_complete() && !page.more);
    assert_eq!(
        texts(&page),
        ["crane 5 walrus", "crane 4 walrus", "crane 3 walrus", "crane 2 walrus", "crane 1 walrus"]
    );
    let found = &page.hits[2];
    assert_eq!((found.source, found.hit.conversation_name.as_str()), (HitSource::Server, "Admin"));
    let snippet = &found.hit.snippet;
    assert_eq!(&snippet.text[snippet.highlights[0].clone()], "walrus");
    assert!(ada.search(&word).await.unwrap().hits.is_empty(), "nothing of it was stored");

    // It is opened: its part of the thread comes, and the device finds it itself.
    let id = found.hit.message.id;
    ada.load_hit(&found.hit).await.unwrap();
    let options = TimelineOptions::default().open_at(OpenAt::Message(id));
    let (_timeline, items, _updates) = ada.conversation(thread).timeline(options).await.unwrap();
    let is_it = |item: &TimelineItem| matches!(item, TimelineItem::Message(message) if message.message.id == id);
    assert!(items.iter().any(is_it));
    site.network.offline(true).await;
    let local = first(&ada, "walr").await;
    assert!(local.hits.iter().any(|found| found.hit.message.id == id && found.source == HitSource::Local));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_hits_come_once_newest_first_page_by_page() {
    let (_site, _phone, ada, thread) = site().await;
    ada.conversation(thread).send("crane, not sent yet").await.unwrap();
    let mut search = ada.search_with_server(query("crane").limit(40));
    let mut found = Vec::new();
    loop {
        let page = search.next_page().await.unwrap();
        assert!(page.is_complete() && page.hits.len() <= 40);
        found.extend(page.hits);
        if !page.more {
            break;
        }
    }
    let numbers: Vec<_> = found[1..].iter().map(|found| found.hit.message.seq.unwrap().get()).collect();
    let mut sorted = numbers.clone();
    sorted.sort_by(|one, other| other.cmp(one));
    sorted.dedup();
    assert_eq!(numbers, sorted, "newest first, none twice");
    assert!(found.len() > 150, "{}", found.len());
    let local = found.iter().filter(|found| found.source == HitSource::Local).count();
    assert!((100..found.len()).contains(&local), "{local} of {}", found.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_devices_own_hits_come_and_it_is_said_why_there_are_no_more() {
    let (site, _phone, ada, _) = site().await;
    site.network.offline(true).await;
    let page = first(&ada, "crane").await;
    assert_eq!((page.hits.len(), texts(&page)[0], page.more), (20, "crane 150", true));
    let why = page.not_searched.unwrap();
    assert!(matches!(&why, NotSearched::Failed(error) if matches!(**error, Error::Offline(_))), "{why:?}");

    // The second page of the server is lost: what was found stays, and the device goes on.
    site.network.offline(false).await;
    let mut search = ada.search_with_server(query("crane").limit(60));
    assert!(search.next_page().await.unwrap().is_complete());
    site.network.order(Endpoint::Search, 9, Fault::LoseAnswer);
    let page = search.next_page().await.unwrap();
    assert!(page.not_searched.is_some() && !page.hits.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_of_this_device_hides_is_not_found_by_its_old_text() {
    let (_site, _phone, ada, thread) = site().await;
    let mine = ada.conversation(thread).send("pelican").await.unwrap();
    ada.sync().await.unwrap();
    ada.conversation(thread).edit(mine.id(), "heron").await.unwrap();
    assert!(first(&ada, "pelican").await.hits.is_empty(), "the pending edit decides");
    assert_eq!(texts(&first(&ada, "heron").await), ["heron"]);
    ada.conversation(thread).delete(mine.id()).await.unwrap();
    for text in ["pelican", "heron"] {
        assert!(first(&ada, text).await.hits.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_search_is_not_asked() {
    let older = ReferenceServer::builder().without(&Capability::SearchServer).build();
    older.add_demo();
    let server = DevServer::builder().reference(older).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let ada = phone.first_start(ADA, DEMO_PASSWORD).await;
    let own = adas(&ada).await;
    ada.conversation(own).send("pelican").await.unwrap();
    let page = first(&ada, "peli").await;
    assert_eq!(texts(&page), ["pelican"]);
    assert!(matches!(page.not_searched, Some(NotSearched::NotOffered)));
}
