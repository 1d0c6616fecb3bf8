//! `fieldpost pin`, `mute`, `archive`, `unread`, and what ends them.

use super::conversations::{as_json, line};
use crate::{device::Device, failure::Failure, output::Output};
use chrono::{Duration, Utc};
use fieldpost::{Conversation, EntryState, Seq, Settings};

/// A conversation.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The conversation's id, a part of it, or its name
    conversation: String,
}

/// A conversation to mute.
#[derive(Debug, clap::Args)]
pub(crate) struct Mute {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// How many hours to mute it [default: until it is unmuted]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=876_000))]
    hours: Option<u32>,
}

/// A conversation to mark as unread.
#[derive(Debug, clap::Args)]
pub(crate) struct Unread {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// From this message on, by its number in the thread [default: the newest]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
}

/// What to set.
pub(super) enum Setting {
    Pin(Which),
    Unpin(Which),
    Mute(Mute),
    Unmute(Which),
    Archive(Which),
    Unarchive(Which),
    Unread(Unread),
}

impl Setting {
    fn wanted(&self) -> &str {
        match self {
            Self::Pin(which) | Self::Unpin(which) | Self::Unmute(which) => &which.conversation,
            Self::Archive(which) | Self::Unarchive(which) => &which.conversation,
            Self::Mute(mute) => &mute.conversation,
            Self::Unread(unread) => &unread.conversation,
        }
    }

    async fn apply(&self, conversation: &Conversation) -> Result<(), Failure> {
        let set = match self {
            Self::Pin(_) => conversation.pin().await,
            Self::Unpin(_) => conversation.unpin().await,
            Self::Mute(Mute { hours: None, .. }) => conversation.mute(Settings::FOREVER).await,
            Self::Mute(Mute { hours: Some(hours), .. }) => {
                conversation.mute(Utc::now() + Duration::hours((*hours).into())).await
            }
            Self::Unmute(_) => conversation.unmute().await,
            Self::Archive(_) => conversation.archive().await,
            Self::Unarchive(_) => conversation.unarchive().await,
            Self::Unread(Unread { from, .. }) => conversation.mark_unread(from.map(Seq::new)).await,
        };
        Ok(set.map(drop)?)
    }
}

pub(super) async fn run(device: &Device, setting: Setting, output: &Output) -> Result<(), Failure> {
    let found = device.find_conversation(setting.wanted()).await?;
    let conversation = device.client.conversation(found.id);
    setting.apply(&conversation).await?;
    let synced = device.sync_if_possible(output).await;
    let now = conversation.summary().await?.unwrap_or(found);
    output.result(&as_json(&now), || line(&now));
    let entries = device.client.outbox(10_000).await?;
    let waiting =
        entries.iter().find(|entry| entry.conversation_id == now.id && entry.kind.as_str() == "set_conversation");
    match waiting.map(|entry| &entry.state) {
        Some(EntryState::Failed(refusal)) => synced.and(Err(super::text::refused("setting", refusal))),
        Some(_) => {
            output.tell(super::text::NOT_YET);
            synced
        }
        None => synced,
    }
}
