//! `fieldpost sync`.

use crate::{
    args::DeviceArgs,
    device::Device,
    failure::{Failure, FailureKind},
    output::Output,
};
use fieldpost::SyncReport;
use std::time::Duration;

pub(super) async fn once(args: &DeviceArgs, output: &Output) -> Result<(), Failure> {
    let device = Device::open_online(args).await?;
    let report = device.sync(output).await?;
    print(&report, output);
    Ok(())
}

/// Syncs again and again. A server out of reach is told and waited for; everything else ends it.
pub(super) async fn watch(args: &DeviceArgs, every: u64, output: &Output) -> Result<(), Failure> {
    let device = Device::open_online(args).await?;
    loop {
        match device.sync(output).await {
            Ok(report) => print(&report, output),
            Err(failure) if failure.kind() == FailureKind::Unreachable => {
                output.result(
                    &serde_json::json!({"error": {"code": "unreachable", "message": failure.to_string()}}),
                    || failure.to_string(),
                );
            }
            Err(failure) => return Err(failure),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(every)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(device.client.close().await?),
        }
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
