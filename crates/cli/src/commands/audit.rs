//! `fieldpost audit`: the audit log on this device.

use crate::{device::Device, failure::Failure, output::Output};
use serde_json::json;

pub(super) async fn run(device: &Device, output: &Output) -> Result<(), Failure> {
    let counts = device.client.audit_counts().await?;
    output.result(&json!({ "pending": counts.pending, "dropped": counts.dropped }), || {
        let dropped = match counts.dropped {
            0 => String::new(),
            dropped => format!(" {dropped} older ones were dropped because the log was full."),
        };
        format!("{} entries wait to be uploaded.{dropped}", counts.pending)
    });
    Ok(())
}
