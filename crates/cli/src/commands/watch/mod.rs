//! `fieldpost sync --watch`.

mod arrivals;

use super::status::{records, records_as_json};
use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use arrivals::Arrivals;
use fieldpost::{ContextState, ContextWatch, Error, LiveStatus, Status, SyncStatus};
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;

/// Keeps syncing until interrupted, and prints what arrives, and the status whenever it changes. The next sync continues a pass that was
/// cut off.
pub(super) async fn run(device: &Device, output: &Output) -> Result<(), Failure> {
    let mut arrivals = Arrivals::begin(device).await?;
    device.client.start().await;
    let ended = tokio::select! {
        ended = print_changes(device, &mut arrivals, output) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    device.client.stop().await;
    ended
}

/// Prints what may recover; any other failure ends the watch, and so does a reader who closes the pipe.
async fn print_changes(device: &Device, arrivals: &mut Arrivals, output: &Output) -> Result<(), Failure> {
    let mut status = device.client.status();
    let mut context = device.client.has_records().then(|| device.client.sync_context()).transpose()?;
    let mut told = None;
    loop {
        let now = status.borrow_and_update().clone();
        let unread = device.client.total_unread().await?;
        let records = records(device)?;
        let line = as_json(&now, unread, records.as_ref());
        // Every pass is briefly "syncing"; only its result is worth a line.
        let syncing = now.syncing || records.as_ref().is_some_and(|state| state.records.syncing);
        if !syncing && told.as_ref() != Some(&line) {
            output.result(&line, || text(&now, unread, records.as_ref()));
            told = Some(line);
        }
        if output.is_closed() {
            return Ok(());
        }
        if let Some(failure) = hopeless(&now) {
            return Err(failure);
        }
        let there = tokio::select! {
            there = next(&mut status, &mut context) => there,
            changed = arrivals.next() => match changed {
                Some(changed) => {
                    arrivals.tell(device, changed?, output).await?;
                    true
                }
                None => false,
            },
        };
        if !there {
            return Err(Failure::error("the client is gone"));
        }
    }
}

/// Waits for the next change of either side; false when the client is gone.
async fn next(status: &mut Receiver<Status>, context: &mut Option<ContextWatch>) -> bool {
    match context {
        Some(context) => context.changed().await.is_some(),
        None => status.changed().await.is_ok(),
    }
}

fn hopeless(status: &Status) -> Option<Failure> {
    if !status.signed_in {
        return Some(Error::SignedOut.into());
    }
    let failure = Failure::from(Error::from(status.last_error.clone()?));
    failure.wait().is_none().then_some(failure)
}

fn as_json(status: &Status, unread: u64, records: Option<&ContextState>) -> Value {
    let mut value = json!({
        "status": status.sync_status(),
        "pending": status.pending,
        "failed": status.failed,
        "unread": unread,
        "live": status.live,
        "error": status.last_error.as_ref().map(ToString::to_string),
    });
    if let (Some(state), Some(fields)) = (records, value.as_object_mut()) {
        fields.extend(records_as_json(state));
    }
    value
}

fn text(status: &Status, unread: u64, records: Option<&ContextState>) -> String {
    let word = match status.sync_status() {
        SyncStatus::SignedOut => "signed out",
        SyncStatus::Offline => "offline",
        SyncStatus::Syncing => "syncing",
        SyncStatus::Error => "error",
        SyncStatus::Pending => "pending",
        SyncStatus::Synced => "synced",
    };
    let mut parts = vec![word.to_owned()];
    parts.extend(match status.live {
        LiveStatus::Live => Some("live".to_owned()),
        LiveStatus::Reconnecting => Some("not live yet".to_owned()),
        LiveStatus::Off => None,
    });
    for (count, what) in
        [(unread, "unread"), (status.pending, "waiting"), (status.failed, "refused (see `fieldpost outbox`)")]
    {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if let Some(state) = records {
        for (count, what) in [
            (state.records.pending, "records waiting"),
            (state.records.failed, "records refused (see `fieldpost queue`)"),
            (state.records.conflicts, "changes lost (see `fieldpost records conflicts`)"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        parts.extend(state.records.last_error.as_ref().map(|error| one_line(&format!("records: {error}"))));
    }
    parts.extend(status.last_error.as_ref().map(|error| one_line(&error.to_string())));
    parts.join(", ")
}
