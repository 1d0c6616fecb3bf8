//! Searching what the server has too.

use crate::{Client, Failure, FieldpostError, Result, SearchHit, SearchQuery, moment, runtime};
use fieldpost::{HitSource, NotSearched};
use std::{collections::HashMap, fmt, sync::Arc};
use tokio::sync::Mutex;

/// A hit, and where it is.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct FoundHit {
    /// The hit.
    pub hit: SearchHit,
    /// It is on the server only: [`ServerSearch::load_hit`] brings it here.
    pub on_server: bool,
}

/// A page of hits of both sides.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct FoundHits {
    /// The newest first.
    pub hits: Vec<FoundHit>,
    /// There may be more.
    pub more: bool,
    /// The server's history was searched too.
    pub complete: bool,
    /// Why it was not, if the server was asked.
    pub failure: Option<Failure>,
    /// How many messages of this device are not in the index yet, at most.
    pub unindexed: u32,
}

/// A search on this device and on the server.
#[derive(uniffi::Object)]
pub struct ServerSearch {
    client: fieldpost::Client,
    search: Arc<Mutex<Searching>>,
}

struct Searching {
    search: fieldpost::ServerSearch,
    /// What was found on the server, by the message's id.
    found: HashMap<fieldpost::MessageId, fieldpost::SearchHit>,
    /// A page that was read and not fetched: whoever asked for it has given up.
    ready: Option<FoundHits>,
}

#[uniffi::export]
impl Client {
    /// Begins a search on this device and on the server.
    ///
    /// # Errors
    /// As [`Client::search`].
    pub fn search_with_server(&self, query: SearchQuery) -> Result<Arc<ServerSearch>> {
        let client = self.sdk()?;
        let search = client.search_with_server(query.try_into()?);
        let search = Arc::new(Mutex::new(Searching { search, found: HashMap::new(), ready: None }));
        Ok(Arc::new(ServerSearch { client, search }))
    }
}

#[uniffi::export]
impl ServerSearch {
    /// The next page. A call that is given up takes none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn next_page(&self) -> Result<FoundHits> {
        loop {
            let search = Arc::clone(&self.search);
            runtime::run(async move { search.lock().await.read().await }).await?;
            // Another call may have fetched what this one has read.
            if let Some(page) = self.search.lock().await.ready.take() {
                return Ok(page);
            }
        }
    }

    /// Brings a hit of the server to this device, with what is around it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Offline`], [`crate::ErrorKind::NotFound`].
    pub async fn load_hit(&self, message: fieldpost::MessageId) -> Result<()> {
        let (client, search) = (self.client.clone(), Arc::clone(&self.search));
        runtime::run(async move {
            // What is not among the server's hits is on this device.
            let hit = search.lock().await.found.get(&message).cloned();
            match hit {
                Some(hit) => Ok(client.load_hit(&hit).await?),
                None => Ok(()),
            }
        })
        .await
    }
}

impl Searching {
    async fn read(&mut self) -> Result<()> {
        if self.ready.is_none() {
            let page = self.search.next_page().await?;
            let on_server = page.hits.iter().filter(|found| found.source == HitSource::Server);
            let found: Vec<_> = on_server.map(|found| (found.hit.message.id, found.hit.clone())).collect();
            self.found.extend(found);
            self.ready = Some(page.into());
        }
        Ok(())
    }
}

impl From<fieldpost::FoundHits> for FoundHits {
    fn from(page: fieldpost::FoundHits) -> Self {
        let failure = match &page.not_searched {
            Some(NotSearched::Failed(error)) => Some(FieldpostError::from((**error).clone()).into()),
            _ => None,
        };
        Self {
            more: page.more,
            complete: page.is_complete(),
            failure,
            unindexed: moment::count(page.unindexed),
            hits: page
                .hits
                .into_iter()
                .map(|found| FoundHit { on_server: found.source == HitSource::Server, hit: found.hit.into() })
                .collect(),
        }
    }
}

impl fmt::Debug for ServerSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSearch").finish_non_exhaustive()
    }
}
