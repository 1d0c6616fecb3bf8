//! The role that searches, and the full-text index.
//!
//! * [`index`]: messages go into the index in large steps, some time after they were written.
//! * [`expression`]: what the index is asked.
//! * [`hits`]: which messages a page of hits has.
//! * [`erase`]: their words leave it at once.
//!
//! The words are cut and folded here (`fieldpost_domain::search`), so that every store finds the same.
//!
//! SQL by hand: what hits are read from (`search`).

pub(crate) mod erase;
mod expression;
pub(crate) mod hits;
pub(crate) mod index;

use crate::{
    SqliteStore,
    error::{Fault, Res},
    hot::{Plan, hot},
    line::packed,
    resolve::canonical,
    rows::{
        conversation::{self, Listed},
        message::{Receipt, Receipts, Shown, joins, thread_message},
    },
    sql::{IdSet, Tx, text},
};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, search::snippet};
use fieldpost_storage::{Search, SearchHit, SearchPage, SearchQuery, StorageResult, ThreadMessage};
use std::collections::{BTreeSet, HashMap};

#[async_trait]
impl Search for SqliteStore {
    async fn search(&self, query: &SearchQuery) -> StorageResult<SearchPage> {
        if self.unindexed().await? > 0
            && let Err(error) = self.index().await
        {
            // What is in the index can be found on a full disk too.
            tracing::debug!(%error, "new messages could not be indexed");
        }
        let read = self.db.read("search").await?;
        let page = page(read.tx(), query).await;
        read.finish(page).await
    }

    async fn index(&self) -> StorageResult<u64> {
        let write = self.db.write("index", crate::db::Durability::Process).await?;
        let indexed = index::step(write.tx()).await;
        write.finish(indexed).await
    }
}

impl SqliteStore {
    async fn unindexed(&self) -> StorageResult<u64> {
        let read = self.db.look("search")?;
        let unindexed = index::unindexed(read.tx()).await;
        read.finish(unindexed).await
    }

    /// Indexes what a pass has brought, unless it is so little that it can wait for more, or so much that whoever waits
    /// for the pass would notice.
    pub(crate) async fn index_after_pass(&self) {
        for _ in 0..STEPS_AFTER_PASS {
            match self.unindexed().await {
                Ok(unindexed) if unindexed >= WORTH_A_STEP => {}
                _ => return,
            }
            if let Err(error) = self.index().await {
                tracing::debug!(%error, "new messages could not be indexed");
                return;
            }
        }
    }
}

const STEPS_AFTER_PASS: usize = 4;
const WORTH_A_STEP: u64 = 500;

async fn page(tx: &Tx, query: &SearchQuery) -> Res<SearchPage> {
    let unindexed = index::unindexed(tx).await?;
    let conversation = match query.conversation {
        Some(id) => Some(ConversationId::from_uuid(canonical(tx, id).await?)),
        None => None,
    };
    let query = SearchQuery { conversation, ..query.clone() };
    let (found, next) = hits::find(tx, &query).await?;
    let hits = if found.is_empty() { Vec::new() } else { show(tx, &query, &found).await? };
    Ok(SearchPage { hits, next, unindexed })
}

/// The messages under these keys of the index.
async fn show(tx: &Tx, query: &SearchQuery, keys: &[i64]) -> Res<Vec<SearchHit>> {
    let keys = serde_json::to_string(keys).map_err(|_| Fault::corrupt("a key is no number"))?;
    let lines = tx.only(&MESSAGES, vec![text(keys)]).await?.lines("found")?;
    let conversations = lines.iter().map(|line| line.id(Shown::Conversation)).collect::<Res<BTreeSet<_>>>()?;
    let row = tx.only(&CONVERSATIONS, vec![IdSet::of(conversations.iter().copied()).bind()]).await?;
    let names = row.lines("names")?.iter().map(conversation::summary).collect::<Res<Vec<_>>>()?;
    let receipts = row.lines("receipts")?.iter().map(Receipts::read).collect::<Res<Vec<_>>>()?;
    let known: HashMap<_, _> =
        names.into_iter().zip(receipts).map(|(name, receipts)| (name.id, (name.participant_name, receipts))).collect();
    let hits = lines.iter().map(|line| {
        let id = ConversationId::from_uuid(line.id(Shown::Conversation)?);
        let (name, receipts) = known.get(&id).ok_or_else(|| Fault::corrupt("a conversation is missing"))?;
        Ok(hit(query, name, thread_message(line, receipts)?))
    });
    hits.collect()
}

fn hit(query: &SearchQuery, conversation: &str, message: ThreadMessage) -> SearchHit {
    let content = message.content.as_deref().unwrap_or_default();
    let snippet = snippet(content, &query.text.places(content));
    SearchHit { conversation_name: conversation.to_owned(), message, snippet }
}

hot! {
    MESSAGES: "messages that were found", Plan::Bounded, format!("SELECT {} AS found", packed(&Shown::row(), &format!(
        "FROM json_each(?1) AS j CROSS JOIN messages_search_entries AS s ON s.key = j.value \
        CROSS JOIN messages AS m ON m.pk = s.message {} ORDER BY j.key", joins()
    )));
    CONVERSATIONS: "conversations of what was found", Plan::Bounded, format!(
        "SELECT {} AS names, {} AS receipts",
        packed(&Listed::row(), &format!("{} WHERE c.id IN (SELECT unhex(value) FROM json_each(?1)) ORDER BY c.id", conversation::source())),
        packed(&Receipt::row("c.id"),
            "FROM conversations AS c WHERE c.id IN (SELECT unhex(value) FROM json_each(?1)) ORDER BY c.id"),
    );
}
