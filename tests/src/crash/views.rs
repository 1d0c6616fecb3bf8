//! Compares what a device shows with the server.

use super::{Finding, Harm, Stored};
use anyhow::Result;
use fieldpost::{Client, ConversationId, MessageId, Older, Window};
use std::collections::{BTreeMap, BTreeSet};

/// A thread as a device shows it.
type Thread = Vec<(Option<u64>, MessageId, String)>;

/// Compares every thread on this device, and its unread counts, with the server's.
pub(super) async fn compare(
    who: &str,
    client: &Client,
    stored: &[Stored],
    unread: &BTreeMap<ConversationId, u64>,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut unseen: BTreeSet<_> = unread.keys().copied().collect();
    for conversation in client.conversations().await? {
        unseen.remove(&conversation.id);
        let id = conversation.id;
        let there: Thread = stored
            .iter()
            .filter(|one| one.conversation == id)
            .map(|one| (Some(one.seq), one.id, one.text.clone()))
            .collect();
        if let Some(difference) = first_difference(&whole_thread(client, id).await?, &there) {
            findings.push(Harm::Diverged.found(format!("the {who}'s thread {id}: {difference}")));
        }
        let expected = unread.get(&id).copied();
        if expected != Some(conversation.unread) {
            let shown = conversation.unread;
            findings.push(Harm::Diverged.found(format!("the {who}'s unread in {id}: {shown} instead of {expected:?}")));
        }
    }
    findings.extend(unseen.iter().map(|id| Harm::Diverged.found(format!("the {who} does not see {id}"))));
    Ok(findings)
}

/// Scrolls up to the beginning.
async fn whole_thread(client: &Client, conversation: ConversationId) -> Result<Thread> {
    loop {
        let window = client.conversation(conversation).load_older(Window::newest(u32::MAX)).await?;
        if window.older == Older::Nothing {
            let rows = window.messages.into_iter();
            return Ok(rows
                .map(|row| (row.seq.map(|seq| seq.get()), row.id, row.content.unwrap_or_default()))
                .collect());
        }
    }
}

fn first_difference(here: &Thread, there: &Thread) -> Option<String> {
    let at = here.iter().zip(there).position(|(here, there)| here != there);
    let at = at.or_else(|| (here.len() != there.len()).then(|| here.len().min(there.len())))?;
    Some(format!(
        "at {at} {:?} instead of {:?} ({} and {} messages)",
        here.get(at),
        there.get(at),
        here.len(),
        there.len()
    ))
}
