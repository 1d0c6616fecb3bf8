//! `fieldpost status`.

use super::{import, text::moment};
use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use serde_json::json;

pub(super) async fn run(device: &Device, output: &Output) -> Result<(), Failure> {
    let status = device.client.status().borrow().clone();
    let me = device.client.me().await?;
    let unread = device.client.total_unread().await?;
    let imported = device.client.imported().await?;
    let value = json!({
        "status": status.sync_status(),
        "me": me.as_ref().map(|me| json!({"id": me.id, "name": me.full_name(), "role": me.role})),
        "unread": unread,
        "pending": status.pending,
        "failed": status.failed,
        "last_success_at": status.last_success_at,
        "imported": imported.as_ref().map(import::brief),
    });
    output.result(&value, || {
        let word = serde_json::to_value(status.sync_status()).ok();
        let word = word.as_ref().and_then(|word| word.as_str()).unwrap_or("unknown").replace('_', " ");
        let owner = me.map(|me| one_line(&format!("{} ({})", me.display_name(), me.role)));
        let name = owner.map(|owner| match status.signed_in {
            true => format!(" as {owner}"),
            false => format!("; this database is of {owner}"),
        });
        let last = status.last_success_at.map_or_else(|| "never".to_owned(), moment);
        format!(
            "{word}{}\n{unread} unread, {} waiting for the server, {} refused\nlast synced: {last}{}",
            name.unwrap_or_default(),
            status.pending,
            status.failed,
            imported.map_or_else(String::new, |report| format!("\nimported: {}", import::summary(&report)))
        )
    });
    Ok(())
}
