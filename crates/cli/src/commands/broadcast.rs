//! `fieldpost broadcast`.

use super::send;
use crate::{device::Device, failure::Failure, output::Output};

/// What to tell everybody.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to write
    #[arg(allow_hyphen_values = true, value_parser = crate::args::text)]
    text: String,
    /// The subject, if the organization has no broadcast yet
    #[arg(long)]
    subject: Option<String>,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.open_broadcast(arguments.subject.as_deref()).await?;
    send::to(device, &conversation, &arguments.text, output).await
}
