//! `fieldpost sync`.

use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::{Rhythm, SyncReport};
use std::time::Duration;

pub(super) async fn once(device: &Device, output: &Output) -> Result<(), Failure> {
    let report = device.sync(output).await?;
    print(&report, output);
    Ok(())
}

/// The timer of `--watch`: every `every` seconds, whether or not anybody is looking.
pub(super) fn rhythm(every: u64) -> Rhythm {
    let (every, usual) = (Duration::from_secs(every), Rhythm::default());
    // A short interval asks for quick retries too.
    Rhythm { foreground: every, background: every, longest_wait: usual.longest_wait.min(every), ..usual }
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
