//! `fieldpost conversations`.

use super::text::{MOMENT, list_line, moment, short};
use crate::{
    device::Device,
    failure::Failure,
    output::Output,
    terminal::{column, cut, one_line},
};
use chrono::Utc;
use fieldpost::{ConversationKind, ConversationQuery, ConversationSummary};
use serde_json::{Value, json};

/// Which conversations.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only those with unread messages, or marked as unread
    #[arg(long)]
    unread: bool,
    /// Only those in the archive
    #[arg(long)]
    archived: bool,
    /// Only muted ones
    #[arg(long)]
    muted: bool,
    /// Only the conversations with one medic
    #[arg(long, conflicts_with = "broadcast")]
    direct: bool,
    /// Only broadcasts
    #[arg(long)]
    broadcast: bool,
    /// Only those with this text in their name, subject or newest message
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl Arguments {
    fn query(&self) -> Result<ConversationQuery, Failure> {
        let query = ConversationQuery::default().archived(self.archived).limit(self.limit);
        let query = if self.unread { query.unread() } else { query };
        let query = if self.muted { query.muted(true) } else { query };
        let query = if self.direct { query.kind(ConversationKind::Direct) } else { query };
        let query = if self.broadcast { query.kind(ConversationKind::Broadcast) } else { query };
        Ok(match &self.name {
            Some(name) => query.text(name)?,
            None => query,
        })
    }

    const fn is_filtered(&self) -> bool {
        self.unread || self.archived || self.muted || self.direct || self.broadcast || self.name.is_some()
    }
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let all = device.client.conversations_matching(arguments.query()?).await?;
    if output.is_json() {
        all.iter().for_each(|conversation| output.result(&as_json(conversation), String::new));
        return Ok(());
    }
    if all.is_empty() && arguments.is_filtered() {
        output.tell("No such conversation.");
    } else if all.is_empty() {
        device.tell_empty("No conversations yet.", output);
    }
    for conversation in &all {
        output.tell(&line(conversation));
    }
    Ok(())
}

pub(super) fn as_json(conversation: &ConversationSummary) -> Value {
    json!({
        "id": conversation.id,
        "kind": conversation.kind,
        "name": conversation.participant_name,
        "subject": conversation.subject,
        "omitted": conversation.omitted,
        "medic_id": conversation.medic_id,
        "last_message_at": conversation.last_message_at,
        "last_message_preview": conversation.last_message_preview,
        "unread": conversation.unread,
        "unread_mentions": conversation.unread_mentions,
        "last_seq": conversation.last_seq,
        "on_server": conversation.on_server,
        "pinned_at": conversation.settings.pinned_at,
        "muted_until": conversation.settings.muted_until,
        "archived": conversation.is_archived(Utc::now()),
        "unread_from": conversation.settings.unread_from,
        "draft": conversation.draft,
    })
}

/// The columns of a name.
const NAME: usize = 22;

pub(super) fn line(conversation: &ConversationSummary) -> String {
    let unread = match conversation.unread {
        0 if conversation.is_marked_unread() => "(•)".to_owned(),
        0 => String::new(),
        1..=99 => format!("({})", conversation.unread),
        _ => "(99+)".to_owned(),
    };
    let unread = if conversation.unread_mentions > 0 { format!("{unread}@") } else { unread };
    let when = conversation.last_message_at.map(moment).unwrap_or_default();
    let preview = conversation.last_message_preview.as_deref().unwrap_or_default();
    let name = column(&cut(&one_line(&conversation.participant_name), NAME), NAME);
    let text = match &conversation.draft {
        Some(draft) => format!("{}[draft] {draft}", marks(conversation)),
        None => format!("{}{preview}", marks(conversation)),
    };
    list_line(&format!("{}  {name} {unread:<6} {when:<MOMENT$}  ", short(conversation.id)), &text)
}

/// What the person has set.
fn marks(conversation: &ConversationSummary) -> String {
    let now = Utc::now();
    let set = [
        (conversation.settings.pinned_at.is_some(), "[pinned] "),
        (conversation.is_muted(now), "[muted] "),
        (conversation.is_archived(now), "[archived] "),
    ];
    set.into_iter().filter(|(set, _)| *set).map(|(_, mark)| mark).collect()
}
