//! `fieldpost sync`.

use crate::{
    device::{Device, Synced},
    failure::Failure,
    output::Output,
};
use fieldpost::{RecordReport, Rhythm};
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

fn print(synced: &Synced, output: &Output) {
    let report = &synced.messages;
    output.result(synced, || {
        let mut parts = vec![
            format!("{} sent", report.pushed),
            format!("{} new", report.new_messages),
            match report.requests {
                1 => "1 request".to_owned(),
                more => format!("{more} requests"),
            },
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
        let records = synced.records.as_ref().map(|records| format!("\n{}", records_line(records)));
        format!("Synced: {}.{}", parts.join(", "), records.unwrap_or_default())
    });
}

fn records_line(report: &RecordReport) -> String {
    let mut parts = vec![format!("{} sent", report.won), format!("{} changed", report.changed)];
    for (count, what) in [
        (report.lost, "lost against later changes (see `fieldpost records conflicts`)"),
        (report.missing, "of records that are gone (see `fieldpost records conflicts`)"),
        (report.failed, "refused (see `fieldpost queue`)"),
        (report.retrying, "to be sent again"),
        (report.ignored, "with columns that the server does not have (see docs/howto/offline-tables.md)"),
        (report.unknown_tables, "tables that the server does not offer (see docs/howto/records.md)"),
        (report.audited, "audit entries uploaded"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    format!("Records: {}.", parts.join(", "))
}
