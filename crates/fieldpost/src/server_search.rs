//! Searching what the server has too: its history goes back further than what a device holds.
//!
//! Hits of the server are shown and never stored: what is not on the device cannot outlive the loss of access to it.

use crate::{
    Client, Error, MessageId, MessageStatus, PersonId, Quote, Quoted, Result, SearchHit, SearchOrder, SearchPosition,
    SearchQuery, ThreadMessage,
};
use fieldpost_domain::{Continuation, FoundPage, Message, Person, names, search::snippet};
use fieldpost_remote::SearchRequest;
use std::{
    cmp::Reverse,
    collections::{HashSet, VecDeque},
    sync::Arc,
};

/// How many pages of the server one page of hits reads at most, if they have nothing to show.
const PAGES: u32 = 10;

/// Where a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HitSource {
    /// On this device.
    Local,
    /// On the server only. [`Client::load_hit`] brings it here, with what is around it.
    Server,
}

/// A hit, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundHit {
    /// The hit, as [`Client::search`] shows it.
    pub hit: SearchHit,
    /// Where it is.
    pub source: HitSource,
}

/// Why what the server has is missing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NotSearched {
    /// This server does not search, or has not said so yet.
    NotOffered,
    /// There is no network, nobody is signed in, or the server refused.
    Failed(Arc<Error>),
}

/// A page of hits.
#[derive(Debug, Clone, Default)]
pub struct FoundHits {
    /// The newest first. Each message comes once, also if both sides have it.
    pub hits: Vec<FoundHit>,
    /// There may be more: ask for the next page.
    pub more: bool,
    /// Why the hits are those of this device only; none if the server has answered.
    pub not_searched: Option<NotSearched>,
    /// As [`crate::SearchPage::unindexed`].
    pub unindexed: u64,
}

impl FoundHits {
    /// Whether the server's history was searched too.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.not_searched.is_none()
    }
}

/// A search on this device and on the server: [`Client::search_with_server`].
#[derive(Debug)]
pub struct ServerSearch {
    client: Client,
    query: SearchQuery,
    local: VecDeque<FoundHit>,
    server: VecDeque<FoundHit>,
    local_next: Next<SearchPosition>,
    server_next: Next<Continuation>,
    seen: HashSet<MessageId>,
    not_searched: Option<NotSearched>,
    unindexed: u64,
}

/// Where a side continues.
#[derive(Debug, Clone)]
enum Next<T> {
    Start,
    After(T),
    End,
}

impl<T> Next<T> {
    fn of(next: Option<T>) -> Self {
        next.map_or(Self::End, Self::After)
    }

    const fn is_end(&self) -> bool {
        matches!(self, Self::End)
    }
}

impl Client {
    /// Searches this device and the server, by the same rules. Hits of this device always come; those of the server come if
    /// it can be reached and searches ([`FoundHits::not_searched`] says why not). The newest come first, whatever the order of
    /// the query; its position is ignored.
    ///
    /// ```
    /// use fieldpost::{Client, HitSource, SearchQuery};
    ///
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut search = client.search_with_server(SearchQuery::typed("crane at gate 3")?.limit(20));
    /// let page = search.next_page().await?;
    /// for found in &page.hits {
    ///     println!("{}: {}", found.hit.conversation_name, found.hit.snippet.text);
    ///     if found.source == HitSource::Server {
    ///         client.load_hit(&found.hit).await?;
    ///     }
    /// }
    /// if !page.is_complete() {
    ///     println!("older messages were not searched");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn search_with_server(&self, query: SearchQuery) -> ServerSearch {
        ServerSearch {
            client: self.clone(),
            query: SearchQuery { order: SearchOrder::Newest, after: None, ..query },
            local: VecDeque::new(),
            server: VecDeque::new(),
            local_next: Next::Start,
            server_next: Next::Start,
            seen: HashSet::new(),
            not_searched: None,
            unindexed: 0,
        }
    }

    /// Fetches a hit of the server with older messages of its thread, so that a timeline can be opened at it
    /// ([`crate::OpenAt`]). One that is on this device already costs nothing.
    ///
    /// # Errors
    /// [`Error::Offline`] without a network, [`Error::NotFound`] when it is gone meanwhile.
    pub async fn load_hit(&self, hit: &SearchHit) -> Result<()> {
        let store = &self.inner.store;
        if store.message(hit.message.id).await?.is_some() {
            return Ok(());
        }
        let seq = hit.message.seq.ok_or(Error::NotFound)?;
        self.inner.sides.messages.load_older(hit.message.conversation_id, seq.next()).await?;
        store.message(hit.message.id).await?.map(|_| ()).ok_or(Error::NotFound)
    }
}

impl ServerSearch {
    /// The next page of hits, as many as the query's limit.
    ///
    /// # Errors
    /// If the store fails. What the server cannot answer is no error ([`FoundHits::not_searched`]).
    pub async fn next_page(&mut self) -> Result<FoundHits> {
        let mut hits = Vec::new();
        let mut pages = 0;
        while hits.len() < self.query.limit as usize {
            self.fill_local().await?;
            while self.server.is_empty() && !self.server_next.is_end() && pages < PAGES {
                pages += 1;
                self.fill_server().await?;
            }
            // What is older here than something that the server has not told yet would come too early.
            if self.server.is_empty() && !self.server_next.is_end() {
                break;
            }
            let Some(found) = self.newest() else { break };
            if self.seen.insert(found.hit.message.id) {
                hits.push(found);
            }
        }
        let ended = self.local_next.is_end() && self.server_next.is_end();
        Ok(FoundHits {
            hits,
            more: !(ended && self.local.is_empty() && self.server.is_empty()),
            not_searched: self.not_searched.clone(),
            unindexed: self.unindexed,
        })
    }

    /// The newer one of both sides' next hits; the one of this device if they are the same.
    fn newest(&mut self) -> Option<FoundHit> {
        let place = |side: &VecDeque<FoundHit>| side.front().map(|found| Reverse(place(&found.hit.message)));
        match (place(&self.local), place(&self.server)) {
            (Some(local), Some(server)) if server < local => self.server.pop_front(),
            (None, _) => self.server.pop_front(),
            _ => self.local.pop_front(),
        }
    }

    async fn fill_local(&mut self) -> Result<()> {
        while self.local.is_empty() && !self.local_next.is_end() {
            let after = match &self.local_next {
                Next::After(position) => Some(*position),
                Next::Start | Next::End => None,
            };
            let page = self.client.search(&SearchQuery { after, ..self.query.clone() }).await?;
            self.unindexed = page.unindexed;
            self.local_next = Next::of(page.next);
            self.local.extend(page.hits.into_iter().map(|hit| FoundHit { hit, source: HitSource::Local }));
        }
        Ok(())
    }

    async fn fill_server(&mut self) -> Result<()> {
        let asked = self.ask_server().await;
        let page = match asked {
            Ok(Some(page)) => page,
            Ok(None) => return self.give_up(NotSearched::NotOffered),
            Err(Error::Storage(error)) => return Err(Error::Storage(error)),
            Err(error) => return self.give_up(NotSearched::Failed(Arc::new(error))),
        };
        self.server_next = Next::of(page.next_after.clone());
        for message in page.changes.messages {
            let hit = self.hit(message, &page.changes.people).await?;
            self.server.extend(hit);
        }
        Ok(())
    }

    fn give_up(&mut self, why: NotSearched) -> Result<()> {
        self.not_searched = Some(why);
        self.server_next = Next::End;
        Ok(())
    }

    async fn ask_server(&self) -> Result<Option<FoundPage>> {
        let engine = &self.client.inner.sides.messages;
        if !engine.server_searches().await? {
            return Ok(None);
        }
        let SearchQuery { text, conversation, sender, kind, since, until, limit, .. } = self.query.clone();
        let after = match &self.server_next {
            Next::After(after) => Some(after.clone()),
            Next::Start | Next::End => None,
        };
        let request = SearchRequest {
            terms: text.terms().to_vec(),
            conversation_id: conversation,
            sender_id: sender,
            kind,
            since,
            until,
            after,
            limit: Some(limit.max(1)),
            bytes: None,
        };
        Ok(Some(engine.search_server(request).await?))
    }

    /// How a message of the server is shown here; none if it is not to be shown. Where a change of this device is pending,
    /// its own search decides. A conversation that is not here is not shown either: the next sync brings it, or it was just
    /// taken away.
    async fn hit(&self, message: Message, people: &[Person]) -> Result<Option<FoundHit>> {
        let store = &self.client.inner.store;
        let stored = store.message(message.id).await?;
        if stored.as_ref().is_some_and(|stored| stored.changing || stored.deleted) {
            return Ok(None);
        }
        let Some(conversation) = store.conversation(message.conversation_id).await? else { return Ok(None) };
        let source = if stored.is_some() { HitSource::Local } else { HitSource::Server };
        let sender = people.iter().find(|person| person.id == message.sender_id).cloned();
        let sender = match sender {
            Some(person) => Some(person),
            None => store.person(message.sender_id).await?,
        };
        let me = store.account().await?;
        let reply = match message.reply_to {
            Some(id) => Some(quoted(id, store.message(id).await?)),
            None => None,
        };
        let content = message.content.as_deref().unwrap_or_default();
        let snippet = snippet(content, &self.query.text.places(content));
        let shown = shown(message, sender.as_ref(), me, reply);
        Ok(Some(FoundHit {
            hit: SearchHit { message: shown, conversation_name: conversation.participant_name, snippet },
            source,
        }))
    }
}

/// Where a hit stands: as devices and the server order theirs.
const fn place(message: &ThreadMessage) -> (i64, MessageId) {
    (message.created_at.timestamp_micros(), message.id)
}

fn quoted(id: MessageId, stored: Option<ThreadMessage>) -> Quoted {
    match stored {
        None => Quoted::NotHere(id),
        Some(message) if message.deleted => Quoted::Deleted(id),
        Some(ThreadMessage { sender_name, mine, kind, content, .. }) => {
            Quoted::Here(Quote::new(id, sender_name, mine, kind, content.as_deref()))
        }
    }
}

/// A row of the server as a thread shows it, without what only a thread knows: reactions and counts of receipts.
fn shown(message: Message, sender: Option<&Person>, me: Option<PersonId>, reply: Option<Quoted>) -> ThreadMessage {
    ThreadMessage {
        id: message.id,
        conversation_id: message.conversation_id,
        sender_id: message.sender_id,
        sender_name: names::sender_name(message.sender_id, sender),
        mine: Some(message.sender_id) == me,
        kind: message.kind,
        content: message.content,
        metadata: message.metadata,
        reply_to: message.reply_to,
        reply,
        mentions_me: me.is_some_and(|me| message.mentions.contains(&me)),
        mentions: message.mentions,
        reactions: Vec::new(),
        status: if message.status == MessageStatus::Queued { MessageStatus::Sent } else { message.status },
        receipts: None,
        sending: false,
        changing: false,
        failure: None,
        seq: Some(message.seq),
        composed_at: message.composed_at,
        created_at: message.created_at,
        edited_at: message.edited_at,
        deleted: false,
        omitted: message.omitted,
    }
}
