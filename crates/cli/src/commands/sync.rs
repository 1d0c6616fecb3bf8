//! `fieldpost sync`.

use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::SyncReport;
use serde_json::json;
use std::time::Duration;

pub(super) async fn once(device: &Device, output: &Output) -> Result<(), Failure> {
    let report = device.sync(output).await?;
    print(&report, output);
    Ok(())
}

/// Syncs again and again until it is interrupted; a pass that is cut off is taken up by the next sync.
pub(super) async fn watch(device: &Device, every: u64, output: &Output) -> Result<(), Failure> {
    tokio::select! {
        failure = again_and_again(device, Duration::from_secs(every), output) => Err(failure),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// What may get better is told and waited for; everything else ends it.
async fn again_and_again(device: &Device, every: Duration, output: &Output) -> Failure {
    loop {
        let mut pause = every;
        match device.sync(output).await {
            Ok(report) => print(&report, output),
            Err(failure) => {
                let Some(wait) = failure.wait() else { return failure };
                pause = pause.max(wait);
                let value = json!({"error": {"code": failure.kind().name(), "message": failure.to_string()}});
                output.result(&value, || failure.to_string());
            }
        }
        tokio::time::sleep(pause).await;
    }
}

fn print(report: &SyncReport, output: &Output) {
    output.result(report, || {
        let mut parts = vec![
            format!("{} sent", report.pushed),
            format!("{} new", report.new_messages),
            format!("{} requests", report.requests),
        ];
        for (count, what) in [
            (report.failed, "refused (see `fieldpost outbox`)"),
            (report.retrying, "to be sent again"),
            (report.unreadable, "unreadable rows kept aside"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        format!("Synced: {}.", parts.join(", "))
    });
}
