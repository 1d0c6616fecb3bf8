//! `fieldpost react`.

use super::edit::{find, follow, newest};
use crate::{device::Device, failure::Failure, output::Output};

/// The message, and the emoji.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// The message's id, or a part of it
    message: String,
    /// The emoji
    emoji: String,
    /// Take the reaction back
    #[arg(long)]
    remove: bool,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(&arguments.conversation).await?.id);
    let shown = newest(&conversation).await?;
    let id = find(&shown, &arguments.message)?.id;
    let reacted = if arguments.remove {
        conversation.unreact(id, &arguments.emoji).await?
    } else {
        conversation.react(id, &arguments.emoji).await?
    };
    follow(device, &conversation, reacted, "reaction", output).await
}
