//! `fieldpost sync --watch`.

use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use fieldpost::{Error, Status, SyncStatus};
use serde_json::{Value, json};

/// Keeps syncing until interrupted, and prints the status whenever it changes. The next sync continues a pass that was
/// cut off.
pub(super) async fn run(device: &Device, output: &Output) -> Result<(), Failure> {
    device.client.start().await;
    let ended = tokio::select! {
        ended = print_changes(device, output) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    device.client.stop().await;
    ended
}

/// Prints what may recover; any other failure ends the watch, and so does a reader who closes the pipe.
async fn print_changes(device: &Device, output: &Output) -> Result<(), Failure> {
    let mut status = device.client.status();
    let mut told = None;
    loop {
        let now = status.borrow_and_update().clone();
        let unread = device.client.total_unread().await?;
        let line = as_json(&now, unread);
        // Every pass is briefly "syncing"; only its result is worth a line.
        if now.sync_status() != SyncStatus::Syncing && told.as_ref() != Some(&line) {
            output.result(&line, || text(&now, unread));
            told = Some(line);
        }
        if output.is_closed() {
            return Ok(());
        }
        if let Some(failure) = hopeless(&now) {
            return Err(failure);
        }
        if status.changed().await.is_err() {
            return Err(Failure::error("the client is gone"));
        }
    }
}

fn hopeless(status: &Status) -> Option<Failure> {
    if !status.signed_in {
        return Some(Error::SignedOut.into());
    }
    let failure = Failure::from(Error::from(status.last_error.clone()?));
    failure.wait().is_none().then_some(failure)
}

fn as_json(status: &Status, unread: u64) -> Value {
    json!({
        "status": status.sync_status(),
        "pending": status.pending,
        "failed": status.failed,
        "unread": unread,
        "error": status.last_error.as_ref().map(ToString::to_string),
    })
}

fn text(status: &Status, unread: u64) -> String {
    let word = match status.sync_status() {
        SyncStatus::SignedOut => "signed out",
        SyncStatus::Offline => "offline",
        SyncStatus::Syncing => "syncing",
        SyncStatus::Error => "error",
        SyncStatus::Pending => "pending",
        SyncStatus::Synced => "synced",
    };
    let mut parts = vec![word.to_owned()];
    for (count, what) in
        [(unread, "unread"), (status.pending, "waiting"), (status.failed, "refused (see `fieldpost outbox`)")]
    {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.extend(status.last_error.as_ref().map(|error| one_line(&error.to_string())));
    parts.join(", ")
}
