//! Messages that arrive during a watch.

use crate::{commands::messages, device::Device, failure::Failure, output::Output, terminal::one_line};
use fieldpost::{
    ConversationId, ConversationQuery, ConversationSummary, Seq, ThreadMessage, Updates, VectorDiff, Window,
};
use serde_json::json;
use std::collections::BTreeMap;

/// The most messages of one conversation that are printed at once. After a long time offline the list says the rest.
const AT_ONCE: u32 = 20;

/// Follows the list of conversations.
pub(super) struct Arrivals {
    updates: Updates<Vec<VectorDiff<ConversationSummary>>>,
    /// Up to where each conversation has been printed, or was there before.
    told: BTreeMap<ConversationId, Seq>,
}

impl Arrivals {
    /// What is here now is not told.
    pub(super) async fn begin(device: &Device) -> Result<Self, Failure> {
        let (lines, updates) = device.client.watch_conversations(ConversationQuery::default()).await?;
        Ok(Self { updates, told: lines.iter().map(|line| (line.id, line.last_seq)).collect() })
    }

    /// The conversations that have changed; none when the client is gone.
    pub(super) async fn next(&mut self) -> Option<Result<Vec<ConversationSummary>, Failure>> {
        let diffs = self.updates.next().await?;
        Some(diffs.map(|diffs| diffs.into_iter().flat_map(lines).collect()).map_err(Failure::from))
    }

    /// Prints what others have written in them since.
    pub(super) async fn tell(
        &mut self,
        device: &Device,
        changed: Vec<ConversationSummary>,
        output: &Output,
    ) -> Result<(), Failure> {
        for line in changed {
            let before = self.told.insert(line.id, line.last_seq).unwrap_or(Seq::ZERO);
            let more = line.last_seq.get().saturating_sub(before.get());
            if more == 0 {
                continue;
            }
            let window = Window::newest(u32::try_from(more).unwrap_or(AT_ONCE).min(AT_ONCE));
            let shown = device.client.conversation(line.id).messages(window).await?.messages;
            let is_new = |message: &&ThreadMessage| !message.mine && message.seq.is_some_and(|seq| seq > before);
            for message in shown.iter().filter(is_new) {
                output.result(&json!({"arrived": messages::as_json(message)}), || text(&line, message));
            }
        }
        Ok(())
    }
}

fn lines(diff: VectorDiff<ConversationSummary>) -> Vec<ConversationSummary> {
    match diff {
        VectorDiff::Append { values } | VectorDiff::Reset { values } => values.into_iter().collect(),
        VectorDiff::PushFront { value }
        | VectorDiff::PushBack { value }
        | VectorDiff::Insert { value, .. }
        | VectorDiff::Set { value, .. } => vec![value],
        VectorDiff::Clear
        | VectorDiff::PopFront
        | VectorDiff::PopBack
        | VectorDiff::Remove { .. }
        | VectorDiff::Truncate { .. } => Vec::new(),
    }
}

fn text(line: &ConversationSummary, message: &ThreadMessage) -> String {
    let content = message.content.as_deref().unwrap_or("(no text)");
    let place = line.subject.as_deref().map(|subject| format!(" in {subject}")).unwrap_or_default();
    one_line(&format!("{}{place}: {content}", message.sender_name))
}
