//! Watching the conversation list.

use super::{
    View, Watcher, follow,
    lines::{Diffs, Lines, SPARE},
};
use crate::{Client, ConversationId, ConversationKind, ConversationSummary, Result, Time, Updates};
use eyeball_im::{Vector, VectorDiff};
use fieldpost_domain::TextPart;
use fieldpost_storage::{ChangeSet, ConversationFilter, Touched};
use std::collections::BTreeSet;

/// Which conversations a list shows, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ConversationQuery(pub(crate) ConversationFilter);

impl Default for ConversationQuery {
    /// All conversations, at most 10,000.
    fn default() -> Self {
        Self(ConversationFilter { limit: 10_000, ..ConversationFilter::all(Time::UNIX_EPOCH) })
    }
}

impl ConversationQuery {
    /// Only those with this text in their name, subject or newest message, in any case and Unicode form, with or
    /// without accents. An empty text leaves nothing out.
    ///
    /// # Errors
    /// [`crate::Error::InvalidSearch`] for more than 500 characters.
    pub fn text(self, text: &str) -> Result<Self> {
        Ok(self.part(TextPart::new(text)?))
    }

    pub(crate) fn part(mut self, part: TextPart) -> Self {
        self.0.text = Some(part).filter(|part| !part.is_empty());
        self
    }

    /// Only those of this kind.
    pub fn kind(mut self, kind: ConversationKind) -> Self {
        self.0.kind = Some(kind);
        self
    }

    /// Only those with unread messages, or marked as unread.
    pub const fn unread(mut self) -> Self {
        self.0.unread = true;
        self
    }

    /// Only those in the archive, or only the others.
    pub const fn archived(mut self, archived: bool) -> Self {
        self.0.archived = Some(archived);
        self
    }

    /// Only muted ones, or only the others.
    pub const fn muted(mut self, muted: bool) -> Self {
        self.0.muted = Some(muted);
        self
    }

    /// At most this many, from the top.
    pub const fn limit(mut self, limit: u32) -> Self {
        self.0.limit = limit;
        self
    }

    /// At this moment, by which mutes end.
    pub(crate) const fn at(mut self, now: Time) -> Self {
        self.0.now = now;
        self
    }

    pub(super) fn most(&self) -> usize {
        usize::try_from(self.0.limit).unwrap_or(usize::MAX)
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.0.is_filtered()
    }

    /// Whether what it shows depends on when a mute ends.
    const fn depends_on_time(&self) -> bool {
        self.0.archived.is_some() || self.0.muted.is_some()
    }

    /// Whether a line is shown by it, wherever it stands.
    #[must_use]
    pub fn matches(&self, line: &ConversationSummary) -> bool {
        self.0.matches(line)
    }

    /// Reads the lines, and whether the store may have more below them.
    async fn read(&self, client: &Client) -> Result<(Vec<ConversationSummary>, bool)> {
        let store = &client.inner.store;
        if self.is_filtered() {
            let all = ConversationFilter { limit: u32::MAX, ..self.0.clone() };
            return Ok((store.conversations_matching(&all).await?, false));
        }
        let enough = u32::try_from(self.most().saturating_add(SPARE)).unwrap_or(u32::MAX);
        let lines = store.conversations(enough).await?;
        let more = lines.len() >= enough as usize;
        Ok((lines, more))
    }
}

impl Client {
    /// The conversation list, pinned ones first, then newest activity: a snapshot and its changes. A message costs the watcher one line
    /// to read, however long the list is.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn watch_conversations(
        &self,
        query: ConversationQuery,
    ) -> Result<(Vector<ConversationSummary>, Updates<Vec<VectorDiff<ConversationSummary>>>)> {
        let watcher = Watcher::new(self);
        let query = query.at(self.inner.env.now());
        let (lines, more) = query.read(self).await?;
        let due = due(self, &query).await?;
        let lines = Lines::new(query, lines, more).due_at(due);
        Ok((lines.shown(), follow(watcher, lines)))
    }
}

/// When it may look different without a commit.
async fn due(client: &Client, query: &ConversationQuery) -> Result<Option<Time>> {
    if !query.depends_on_time() {
        return Ok(None);
    }
    Ok(client.inner.store.next_unmute(query.0.now).await?)
}

impl View for Lines {
    type Update = Diffs;

    fn due(&self) -> Option<Time> {
        self.due
    }

    fn concerns(&self, changes: &ChangeSet) -> bool {
        !changes.conversations.is_empty()
    }

    async fn refresh(&mut self, client: &Client, changes: &ChangeSet) -> Result<Option<Diffs>> {
        self.set_now(client.inner.env.now());
        let mut diffs = match &changes.conversations {
            Touched::Only(touched) if is_cheaper(touched, self.held()) => self.put(read(client, touched).await?),
            _ => self.read_again(client).await?,
        };
        if self.is_short() {
            match self.read_again(client).await {
                Ok(more) => diffs.extend(more),
                // The diffs found so far are already applied to the held lines, so they must be returned.
                Err(error) if diffs.is_empty() => return Err(error),
                Err(error) => tracing::debug!(%error, "the end of a list could not be read"),
            }
        }
        self.due = due(client, self.query()).await.unwrap_or(self.due);
        Ok(Some(diffs).filter(|diffs| !diffs.is_empty()))
    }
}

impl Lines {
    async fn read_again(&mut self, client: &Client) -> Result<Diffs> {
        let (lines, more) = self.query().read(client).await?;
        Ok(self.replace(lines, more))
    }
}

/// Reading one line by itself costs about as much as twenty lines of a list.
fn is_cheaper(touched: &BTreeSet<ConversationId>, held: usize) -> bool {
    touched.len() == 1 || touched.len() * 20 <= held
}

async fn read(
    client: &Client,
    touched: &BTreeSet<ConversationId>,
) -> Result<Vec<(ConversationId, Option<ConversationSummary>)>> {
    let mut lines = Vec::with_capacity(touched.len());
    for id in touched {
        lines.push((*id, client.inner.store.conversation(*id).await?));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests;
