//! `fieldpost open`.

use super::conversations::as_json;
use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use fieldpost::Error;

pub(super) async fn run(device: &Device, wanted: &str, output: &Output) -> Result<(), Failure> {
    let medic = device.find_medic(wanted).await?;
    let opened = device.client.open_direct(medic).await?;
    let synced = device.sync_if_possible(output).await;
    // The server may have assigned another id.
    let now = opened.summary().await?.ok_or(Error::NotFound)?;
    output.result(&as_json(&now), || format!("{}  {}", now.id, one_line(&now.participant_name)));
    synced
}
