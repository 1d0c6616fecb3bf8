//! What is out of bounds is refused with words, before anything is done.

use fieldpost::{ConversationQuery, Error, Fieldpost, Rhythm, SearchTextError};
use fieldpost_storage::memory::MemoryStore;
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_rhythm_that_no_timer_can_keep_is_refused() {
    for foreground in [Duration::ZERO, Duration::MAX] {
        let rhythm = Rhythm { foreground, ..Rhythm::default() };
        let opened = Fieldpost::builder().store(Arc::new(MemoryStore::new())).local_only().rhythm(rhythm).open();
        let Err(Error::Configuration(why)) = opened.await else { panic!("{foreground:?} was accepted") };
        assert!(why.contains("the time between two passes in the foreground"), "{why}");
    }
}

#[tokio::test]
async fn a_part_of_a_name_has_500_characters_at_most() {
    let client = Fieldpost::builder().store(Arc::new(MemoryStore::new())).local_only().open().await.unwrap();
    let (longest, longer) = ("\u{e9}".repeat(500), "\u{e9}".repeat(501));
    assert!(client.find_people(&longest).await.unwrap().is_empty());
    assert!(client.find_conversations(&longest).await.unwrap().is_empty());
    assert!(ConversationQuery::default().text(&longest).is_ok());
    let refused = SearchTextError::TooLong { characters: 501 };
    assert!(matches!(client.find_people(&longer).await, Err(Error::InvalidSearch(error)) if error == refused));
    assert!(matches!(client.find_conversations(&longer).await, Err(Error::InvalidSearch(error)) if error == refused));
    let query = ConversationQuery::default().text(&longer);
    assert!(matches!(query, Err(Error::InvalidSearch(error)) if error == refused));
}
