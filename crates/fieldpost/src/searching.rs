//! Searching messages, and finding conversations and people by a part of their name.

use crate::{Client, ConversationQuery, ConversationSummary, Person, Result, SearchPage, SearchQuery};
use fieldpost_domain::TextPart;

impl Client {
    /// Searches the messages on this device, offline and while a person types: by words in any case and Unicode form, with
    /// or without accents, the last one by its beginning. What a thread shows is found: queued messages, edits that are
    /// pending; nothing that is being deleted. A text without words finds nothing.
    ///
    /// ```
    /// use fieldpost::{Client, SearchQuery};
    ///
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let query = SearchQuery::typed("gate 3 cra")?.limit(20);
    /// let mut page = client.search(&query).await?;
    /// for hit in &page.hits {
    ///     let shown = &hit.snippet;
    ///     let marked = shown.highlights.iter().filter_map(|place| shown.text.get(place.clone()));
    ///     println!("{}: {} {:?}", hit.conversation_name, shown.text, marked.collect::<Vec<_>>());
    /// }
    /// if let Some(next) = page.next {
    ///     page = client.search(&query.after(next)).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What is older than what the device holds is found by [`Client::search_with_server`].
    ///
    /// After the first load of a large history, or an upgrade of its file, the index is still being built:
    /// [`SearchPage::unindexed`] says how many messages are left, and [`Client::build_search_index`] hurries.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        Ok(self.inner.store.search(query).await?)
    }

    /// Indexes everything for [`Client::search`], in short steps, between which others write. `left` is told how many
    /// messages are left, at most. Dropping the future keeps what was indexed. Passes and searches index too, a few
    /// thousand messages each; so an app needs this only to be done sooner.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn build_search_index(&self, left: impl Fn(u64) + Send) -> Result<()> {
        loop {
            let remaining = self.inner.store.index().await?;
            left(remaining);
            if remaining == 0 {
                return Ok(());
            }
        }
    }

    /// The conversations with this part of a name, in any case and Unicode form, with or without accents; newest activity
    /// first. An empty text finds all.
    ///
    /// # Errors
    /// [`crate::Error::InvalidSearch`] for more than 500 characters; if the store fails.
    pub async fn find_conversations(&self, part: &str) -> Result<Vec<ConversationSummary>> {
        let part = TextPart::new(part)?;
        let mut found = self.conversations_matching(ConversationQuery::default().part(part.clone())).await?;
        found.retain(|conversation| part.is_in(&conversation.participant_name));
        Ok(found)
    }

    /// The people with this part of a name, likewise; sorted by name.
    ///
    /// # Errors
    /// [`crate::Error::InvalidSearch`] for more than 500 characters; if the store fails.
    pub async fn find_people(&self, part: &str) -> Result<Vec<Person>> {
        let part = TextPart::new(part)?;
        let mut found = self.people().await?;
        found.retain(|person| part.is_in(&person.display_name()));
        Ok(found)
    }
}
