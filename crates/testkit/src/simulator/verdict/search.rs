//! convergence, privacy: a search finds exactly what the device shows.

use super::unreadable;
use crate::simulator::{Breach, Invariant};
use fieldpost_domain::MessageId;
use fieldpost_storage::{SearchHit, SearchQuery, Store, Window};
use std::collections::BTreeSet;

/// The words of the texts of a run: of people here, of their changes, and of other clients.
const WORDS: [&str; 4] = ["note", "amended", "client", "welcome"];

/// A search finds what the threads show, and nothing that was edited away or deleted, or that is in no conversation of the
/// list.
pub(crate) async fn search_agrees(name: &str, store: &dyn Store) -> Result<(), Breach> {
    for word in WORDS {
        let Ok(query) = SearchQuery::typed(word) else { continue };
        let page = store.search(&query.clone().limit(u32::MAX)).await.map_err(unreadable)?;
        for hit in &page.hits {
            is_shown(name, store, &query, hit).await?;
        }
        if page.unindexed == 0 {
            all_are_found(name, store, &query, page.hits.iter().map(|hit| hit.message.id).collect()).await?;
        }
    }
    Ok(())
}

async fn is_shown(name: &str, store: &dyn Store, query: &SearchQuery, hit: &SearchHit) -> Result<(), Breach> {
    let (id, place) = (hit.message.id, hit.message.conversation_id);
    if store.conversation(place).await.map_err(unreadable)?.is_none() {
        let what = format!("a search on {name} finds {id} of {place}, which it does not list");
        return Err(Breach::new(Invariant::Privacy, what));
    }
    let shown = store.message(id).await.map_err(unreadable)?.and_then(|message| message.content);
    if shown.as_deref().is_some_and(|text| query.text.rank(text).is_some()) {
        return Ok(());
    }
    let breach = Breach::new(Invariant::Convergence, format!("a search on {name} finds what {id} does not say"));
    Err(breach.with_views(shown.unwrap_or_default(), hit.message.content.clone().unwrap_or_default()))
}

async fn all_are_found(
    name: &str,
    store: &dyn Store,
    query: &SearchQuery,
    found: BTreeSet<MessageId>,
) -> Result<(), Breach> {
    for conversation in store.conversations(u32::MAX).await.map_err(unreadable)? {
        let window = store.messages(conversation.id, Window::newest(u32::MAX)).await.map_err(unreadable)?;
        let mut fitting = window
            .messages
            .iter()
            .filter(|message| message.content.as_deref().is_some_and(|content| query.text.rank(content).is_some()));
        if let Some(missed) = fitting.find(|message| !found.contains(&message.id)) {
            let what = format!("a search on {name} does not find {}", missed.id);
            return Err(Breach::new(Invariant::Convergence, what));
        }
    }
    Ok(())
}
