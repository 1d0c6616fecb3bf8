//! Syncs, and what must hold right after them.

use super::{Process, Sides, World};
use crate::simulator::{Breach, Invariant, records::verdict};
use fieldpost_storage::StorageErrorKind;
use fieldpost_sync::{ContextReport, RecordReport, SyncError, SyncReport};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// The longest pass, whatever the network does: each call times out, and their number is bounded.
const TOO_LONG: Duration = Duration::from_secs(24 * 3600);

/// The result of a pass of the sides that run; none if the app was killed, or nobody could sign in.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) records: Option<Result<RecordReport, SyncError>>,
    pub(super) messages: Option<Result<SyncReport, SyncError>>,
    killed: bool,
}

impl World {
    /// Syncs an app while other things go on. An app that syncs on its own is only told that it is looked at; if needed,
    /// the person signs in.
    pub(super) async fn sync(&mut self, device: usize, number: u8) {
        let Some(process) = self.process(device, number).await else { return };
        if !process.manner.by_itself {
            return self.sync_by_hand(device, number).await;
        }
        let owner = self.devices[device].owner.clone();
        tokio::spawn(async move {
            drop(process.run(process.sign_in(&owner)).await);
            process.coordinator.foreground();
        });
    }

    /// The same, asked for by a person.
    pub(super) async fn sync_by_hand(&mut self, device: usize, number: u8) {
        drop(self.begin_sync(device, number).await);
    }

    /// The same; the caller waits for the returned task.
    pub(super) async fn begin_sync(&mut self, device: usize, number: u8) -> Option<JoinHandle<Ended>> {
        let process = self.process(device, number).await?;
        let owner = self.devices[device].owner.clone();
        let in_two_processes = self.devices[device].has_second_process();
        let hub = Arc::clone(&self.hub);
        Some(tokio::spawn(async move {
            let _by_hand = process.by_hand();
            process.urgent.calm();
            let before = verdict::Before::new(&hub, &process, (owner.id, in_two_processes)).await;
            let failures = process.failures.count();
            let work = async {
                process.sign_in(&owner).await?;
                Ok(sync(&process).await)
            };
            let Ok(ended) = timeout(TOO_LONG, process.run(work)).await else {
                let what = format!("a pass of {} does not end", process.name);
                hub.observer.report(Breach::new(Invariant::RecordsLiveness, what));
                return Ended::default();
            };
            let ended = match ended {
                None => Ended { killed: true, ..Ended::default() },
                Some(Ok(ended)) => ended,
                Some(Err(error)) => {
                    hub.observer.say(|| format!("{} cannot sign in: {}", process.name, word(&error)));
                    return Ended::default();
                }
            };
            hub.observer.say(|| format!("{} syncs: {}", process.name, said(&ended)));
            match &ended.records {
                Some(Ok(report)) => {
                    hub.observer.judge(before.loads_only_what_it_must(&process, report));
                    hub.observer.judge(before.judge(&hub, &process).await);
                }
                Some(Err(error)) => hub.observer.judge(is_its_own(&process, error, failures)),
                None => {}
            }
            process.has_synced();
            ended
        }))
    }

    /// Syncs the messages while other things go on.
    pub(super) async fn sync_messages(&mut self, device: usize, number: u8) {
        let Some(process) = self.process(device, number).await.filter(|_| self.sides.messages) else { return };
        let owner = self.devices[device].owner.clone();
        let hub = Arc::clone(&self.hub);
        tokio::spawn(async move {
            let _by_hand = process.by_hand();
            let work = async {
                process.sign_in(&owner).await?;
                match process.manner.sides {
                    Sides { records: true, .. } => process.coordinator.trigger_message_sync().await,
                    _ => process.coordinator.messages().sync().await,
                }
            };
            let done = process.run(work).await;
            hub.observer.say(|| {
                let how =
                    done.map_or("killed".to_owned(), |done| done.map_or_else(|error| word(&error), |_| "ok".into()));
                format!("{} syncs its messages: {how}", process.name)
            });
        });
    }
}

async fn sync(process: &Process) -> Ended {
    let coordinator = &process.coordinator;
    match process.manner.sides {
        Sides { records: true, messages: true } => {
            let ContextReport { records, messages } = coordinator.trigger_sync().await;
            Ended { records: Some(records), messages: Some(messages), killed: false }
        }
        Sides { records: true, .. } => Ended { records: Some(coordinator.records().sync().await), ..Ended::default() },
        _ => Ended { messages: Some(coordinator.messages().sync().await), ..Ended::default() },
    }
}

/// Records fail by what happens to them alone, or by the session, which both sides have.
fn is_its_own(process: &Process, error: &SyncError, failures: u64) -> Result<(), Breach> {
    let SyncError::Remote(remote) = error else { return Ok(()) };
    // A wait that the server named before this pass.
    let named = remote.retry() != fieldpost_domain::Retry::Never && remote.operation() == "records";
    // A server that asks to slow down is heeded, whatever it was asked for.
    let of_all = remote.kind() == fieldpost_remote::RemoteErrorKind::RateLimited && remote.operation() == "push_audit";
    let of_the_session = matches!(remote.operation(), "sign_in" | "refresh" | "sign_out");
    if named || of_all || of_the_session || process.failures.count() > failures {
        return Ok(());
    }
    let what = format!("the records of {} fail by something else: {remote}", process.name);
    Err(Breach::new(Invariant::Independence, what))
}

pub(super) fn word(error: &SyncError) -> String {
    match error {
        SyncError::Remote(error) => format!("{:?}", error.kind()),
        SyncError::Storage(error) if error.kind() == StorageErrorKind::Busy => "busy".to_owned(),
        SyncError::Storage(error) => format!("{:?}", error.kind()),
        _ => "signed out or stopped".to_owned(),
    }
}

fn said(ended: &Ended) -> String {
    if ended.killed {
        return "killed".to_owned();
    }
    let records = match &ended.records {
        None => "off".to_owned(),
        Some(Ok(report)) => format!(
            "{} requests, {} won, {} lost, {} missing, {} failed, {} retrying, {} changed, {} removed, {} loads, {} audited",
            report.requests,
            report.won,
            report.lost,
            report.missing,
            report.failed,
            report.retrying,
            report.changed,
            report.removed,
            report.loads,
            report.audited
        ),
        Some(Err(error)) => word(error),
    };
    let messages = match &ended.messages {
        None => "off".to_owned(),
        Some(Ok(report)) => format!("{} requests, {} pushed, {} rows", report.requests, report.pushed, report.rows),
        Some(Err(error)) => word(error),
    };
    format!("records {records}; messages {messages}")
}
