//! Watching the conversation list.

use super::{
    View, Watcher, follow,
    lines::{Diffs, Lines, SPARE},
};
use crate::{Client, ConversationId, ConversationKind, ConversationSummary, Result, Updates};
use eyeball_im::{Vector, VectorDiff};
use fieldpost_storage::{ChangeSet, Touched};
use std::collections::BTreeSet;

/// Which conversations a list shows, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ConversationQuery {
    text: Option<String>,
    kind: Option<ConversationKind>,
    unread: bool,
    limit: u32,
}

impl Default for ConversationQuery {
    /// All conversations, at most 10,000.
    fn default() -> Self {
        Self { text: None, kind: None, unread: false, limit: 10_000 }
    }
}

impl ConversationQuery {
    /// Only those with this text in their name, subject or newest message; ignores case.
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.trim().to_lowercase()).filter(|text| !text.is_empty());
        self
    }

    /// Only those of this kind.
    pub fn kind(mut self, kind: ConversationKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Only those with unread messages.
    pub const fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    /// At most this many, from the top.
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    pub(super) fn most(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    pub(super) const fn is_filtered(&self) -> bool {
        self.text.is_some() || self.kind.is_some() || self.unread
    }

    /// Whether the list shows this conversation.
    #[must_use]
    pub fn matches(&self, line: &ConversationSummary) -> bool {
        let kind = self.kind.as_ref().is_none_or(|kind| *kind == line.kind);
        kind && (!self.unread || line.unread > 0) && self.text.as_ref().is_none_or(|text| has(line, text))
    }

    /// Reads the lines, and whether the store may have more below them.
    async fn read(&self, client: &Client) -> Result<(Vec<ConversationSummary>, bool)> {
        let store = &client.inner.store;
        if self.is_filtered() {
            let all = store.conversations(u32::MAX).await?;
            return Ok((all.into_iter().filter(|line| self.matches(line)).collect(), false));
        }
        let enough = u32::try_from(self.most().saturating_add(SPARE)).unwrap_or(u32::MAX);
        let lines = store.conversations(enough).await?;
        let more = lines.len() >= enough as usize;
        Ok((lines, more))
    }
}

fn has(line: &ConversationSummary, text: &str) -> bool {
    let shown = [Some(&line.participant_name), line.subject.as_ref(), line.last_message_preview.as_ref()];
    shown.into_iter().flatten().any(|shown| shown.to_lowercase().contains(text))
}

impl Client {
    /// The conversation list, newest activity first: a snapshot and its changes. A message costs the watcher one line
    /// to read, however long the list is.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn watch_conversations(
        &self,
        query: ConversationQuery,
    ) -> Result<(Vector<ConversationSummary>, Updates<Vec<VectorDiff<ConversationSummary>>>)> {
        let watcher = Watcher::new(self);
        let (lines, more) = query.read(self).await?;
        let lines = Lines::new(query, lines, more);
        Ok((lines.shown(), follow(watcher, lines)))
    }
}

impl View for Lines {
    type Update = Diffs;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        !changes.conversations.is_empty()
    }

    async fn refresh(&mut self, client: &Client, changes: &ChangeSet) -> Result<Option<Diffs>> {
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
