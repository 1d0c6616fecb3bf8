//! Prints both threads side by side.

use super::{stage::Stage, story::Story};
use crate::{
    failure::Failure,
    terminal::{cut, one_line},
};
use fieldpost::{MessageId, ThreadMessage, Window};
use serde::Serialize;
use std::collections::HashMap;

/// The outcome of the messages that one side wrote.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Verdict {
    pub(super) sent: usize,
    pub(super) delivered: usize,
    pub(super) lost: usize,
    pub(super) duplicated: usize,
}

/// The number of lines shown of a long thread.
const SHOWN: usize = 8;

pub(super) async fn both_threads(
    stage: &Stage,
    story: &Story,
    by_medic: &[MessageId],
    by_admin: &[MessageId],
) -> Result<Verdict, Failure> {
    story.chapter("Both threads, side by side");
    let medic = stage.medic.start_app().await?;
    let admin = stage.admin.start_app().await?;
    let thread = stage.thread(&medic).await?;
    let all = Window::newest(u32::MAX);
    let left = medic.conversation(thread).messages(all).await?.messages;
    let right = admin.conversation(thread).messages(all).await?.messages;
    show(story, &left, &right);
    let seqs =
        |messages: &[ThreadMessage]| messages.iter().map(|m| (m.seq, m.id, m.content.clone())).collect::<Vec<_>>();
    story.claim("the two threads are identical", seqs(&left) == seqs(&right), true)?;
    story.say("Identical: same messages, same order.");
    let verdict = count(by_medic, &right);
    let answers = count(by_admin, &left);
    story.claim("lost messages", verdict.lost + answers.lost, 0)?;
    story.claim("doubled messages", verdict.duplicated + answers.duplicated, 0)?;
    medic.close().await?;
    admin.close().await?;
    Ok(verdict)
}

/// Counts, in the other side's thread, the outcome of the messages that one side wrote.
fn count(written: &[MessageId], received: &[ThreadMessage]) -> Verdict {
    let mut times: HashMap<MessageId, usize> = HashMap::new();
    for message in received {
        *times.entry(message.id).or_default() += 1;
    }
    let arrived = |id: &&MessageId| times.contains_key(id);
    let delivered = written.iter().filter(arrived).count();
    Verdict {
        sent: written.len(),
        delivered,
        lost: written.len() - delivered,
        duplicated: received.len() - times.len(),
    }
}

fn show(story: &Story, left: &[ThreadMessage], right: &[ThreadMessage]) {
    story.say(&format!("{:<52} | {}", "medic's phone", "admin's phone"));
    let rows = left.len().max(right.len());
    let first = rows.saturating_sub(SHOWN);
    if first > 0 {
        story.say(&format!("{:<52} | …", format!("… {first} more")));
    }
    for row in first..rows {
        story.say(&format!("{:<52} | {}", cell(left.get(row)), cell(right.get(row))));
    }
}

fn cell(message: Option<&ThreadMessage>) -> String {
    let Some(message) = message else {
        return "(missing)".to_owned();
    };
    let seq = message.seq.map_or_else(|| "–".to_owned(), |seq| seq.to_string());
    let text = message.content.as_deref().unwrap_or("(deleted)");
    format!("{seq:>4}  {:<9} {}", message.sender_name, cut(&one_line(text), 33))
}
