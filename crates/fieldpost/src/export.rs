//! Exporting a conversation: what is stored here, and what is missing, named.
//!
//! The threads's windows are looked through once, from the newest back, to learn where they end; then they are read again
//! from the oldest on. So the lines come in order, and no more than two windows are in memory, however long the thread is.

use crate::{
    Conversation, ConversationSummary, Error, MessageKind, Older, Result, Seq, ThreadMessage, ThreadWindow, Time,
    Window,
};
use fieldpost_storage::Quoted;
use futures::{Stream, stream};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// How many messages are read at once.
const PAGE: u32 = 500;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportFormat {
    /// One JSON object per line: first `{"conversation": …}`, then in the order of the thread `{"message": …}`, and
    /// `{"missing": {"from_seq", "to_seq"}}` where messages are not on this device.
    JsonLines,
    /// Text for people, with times in UTC.
    Text,
}

/// An export of a conversation, line by line: [`Conversation::export`].
#[derive(Debug)]
pub struct Export {
    conversation: Conversation,
    format: ExportFormat,
    lines: VecDeque<String>,
    /// What is still to be read, the oldest last.
    rest: Vec<Part>,
}

/// A part of the thread.
#[derive(Debug)]
enum Part {
    /// The messages of a window that was kept: the newest one.
    Kept(Vec<ThreadMessage>),
    /// The window below this seq.
    Below(Seq),
    /// Messages that are not here: from, and to if that is known.
    Missing(Seq, Option<Seq>),
}

impl Conversation {
    /// Exports what this device has of the conversation, queued messages included, oldest first. Messages that are not
    /// here are named as missing; nothing is fetched for it ([`Conversation::load_older`] does that). What was deleted is a
    /// line without content, and what was omitted says so.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the conversation is not on this device.
    pub async fn export(&self, format: ExportFormat) -> Result<Export> {
        let summary = self.summary().await?.ok_or(Error::NotFound)?;
        let mut export = Export { conversation: self.clone(), format, lines: VecDeque::new(), rest: Vec::new() };
        export.lines.extend(format.head(&summary, self.client().inner.env.now()));
        let newest = self.messages(Window::newest(PAGE)).await?;
        export.plan(&summary, newest).await?;
        Ok(export)
    }
}

impl Export {
    /// The next line, without its end; none after the last.
    ///
    /// # Errors
    /// If the store fails, or the conversation has left the device.
    pub async fn next_line(&mut self) -> Result<Option<String>> {
        while self.lines.is_empty() {
            match self.rest.pop() {
                None => return Ok(None),
                Some(Part::Missing(from, to)) => self.lines.push_back(self.format.missing(from, to)),
                Some(Part::Kept(messages)) => self.write(&messages),
                Some(Part::Below(before)) => {
                    let window = self.conversation.messages(Window { limit: PAGE, before: Some(before) }).await?;
                    self.write(&window.messages);
                }
            }
        }
        Ok(self.lines.pop_front())
    }

    /// The lines as a stream. It ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<String>> {
        stream::unfold(Some(self), |export| async {
            let mut export = export?;
            match export.next_line().await {
                Ok(line) => line.map(|line| (Ok(line), Some(export))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// Finds the parts of the thread, from the newest window back.
    async fn plan(&mut self, summary: &ConversationSummary, newest: ThreadWindow) -> Result<()> {
        let mut older = newest.older;
        self.rest.push(Part::Kept(newest.messages));
        loop {
            older = match older {
                Older::Nothing => return Ok(()),
                Older::Here(before) => {
                    self.rest.push(Part::Below(before));
                    self.conversation.messages(Window { limit: PAGE, before: Some(before) }).await?.older
                }
                Older::OnServer(before) => {
                    let store = &self.conversation.client().inner.store;
                    let Some(below) = store.stored_below(summary.id, before).await? else {
                        self.miss(Seq::new(1), before, summary.last_seq);
                        return Ok(());
                    };
                    self.miss(below.next(), before, summary.last_seq);
                    Older::Here(below.next())
                }
            };
        }
    }

    /// Notes that the seqs from here to below `before` are missing. A thread that was never synced does not know its end.
    fn miss(&mut self, from: Seq, before: Seq, last: Seq) {
        let known = before <= last.next();
        if !known || from < before {
            self.rest.push(Part::Missing(from, known.then(|| before.previous())));
        }
    }

    fn write(&mut self, messages: &[ThreadMessage]) {
        self.lines.extend(messages.iter().map(|message| self.format.message(message)));
    }
}

impl ExportFormat {
    fn head(self, conversation: &ConversationSummary, now: Time) -> Vec<String> {
        let name = &conversation.participant_name;
        match self {
            Self::JsonLines => vec![
                json!({"conversation": {
                    "id": conversation.id, "org_id": conversation.org_id, "kind": conversation.kind, "name": name,
                    "subject": conversation.subject, "last_seq": conversation.last_seq, "exported_at": now,
                }})
                .to_string(),
            ],
            Self::Text => vec![format!("{}, exported {} (times are UTC)", plain(name), moment(now)), String::new()],
        }
    }

    fn missing(self, from: Seq, to: Option<Seq>) -> String {
        match (self, to) {
            (Self::JsonLines, to) => json!({"missing": {"from_seq": from, "to_seq": to}}).to_string(),
            (Self::Text, Some(to)) => {
                format!("[messages {} to {} are not on this device]", from.get(), to.get())
            }
            (Self::Text, None) => "[older messages may not be on this device]".to_owned(),
        }
    }

    fn message(self, message: &ThreadMessage) -> String {
        match self {
            Self::JsonLines => json!({"message": as_json(message)}).to_string(),
            Self::Text => text(message),
        }
    }
}

fn as_json(message: &ThreadMessage) -> Value {
    json!({
        "id": message.id, "seq": message.seq, "sender_id": message.sender_id, "sender_name": message.sender_name,
        "mine": message.mine, "kind": message.kind, "content": message.content, "metadata": message.metadata,
        "reply_to": message.reply_to, "mentions": message.mentions, "status": message.status,
        "failure": message.failure, "composed_at": message.composed_at, "created_at": message.created_at,
        "edited_at": message.edited_at, "deleted": message.deleted, "omitted": message.omitted,
    })
}

/// A message for people. The lines of its text are indented, so that none of them looks like another message.
fn text(message: &ThreadMessage) -> String {
    let sender = if message.sender_name.is_empty() { "(system)" } else { &message.sender_name };
    let mut line = format!("{}  {}: ", moment(message.created_at), plain(sender));
    if let Some(quoted) = &message.reply {
        line.push_str(&match quoted {
            Quoted::Here(quote) => {
                let said = quote.text.as_deref().unwrap_or("…");
                format!("[to {}: {}] ", plain(&quote.sender_name), plain(said))
            }
            Quoted::Deleted(_) => "[to a deleted message] ".to_owned(),
            Quoted::NotHere(_) => "[to a message that is not on this device] ".to_owned(),
        });
    }
    match &message.kind {
        MessageKind::Text | MessageKind::System => {}
        kind => line.push_str(&format!("[{}] ", plain(kind.as_str()))),
    }
    match (&message.content, &message.omitted) {
        _ if message.deleted => line.push_str("(deleted)"),
        (Some(content), None) => line.push_str(&indented(content)),
        (content, Some(omitted)) => {
            line.push_str(&indented(content.as_deref().unwrap_or_default()));
            line.push_str(&format!("({})", omitted.sentence()));
        }
        (None, None) => {}
    }
    for (holds, note) in [
        (message.edited_at.is_some() && !message.deleted, " (edited)"),
        (message.failure.is_some(), " (not sent: refused)"),
        (message.seq.is_none() && message.failure.is_none(), " (not sent yet)"),
    ] {
        line.push_str(if holds { note } else { "" });
    }
    line.trim_end().to_owned()
}

fn moment(at: Time) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// On one line, without characters that steer a terminal.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).collect()
}

fn indented(text: &str) -> String {
    let clean = |line: &str| line.chars().filter(|c| !c.is_control()).collect::<String>();
    text.lines().map(clean).collect::<Vec<_>>().join("\n    ")
}
