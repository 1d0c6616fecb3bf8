//! Draining the clinical queue.

use super::{Done, Task, wait_for_the_start};
use crate::watch::Watch;
use anyhow::{Result, bail, ensure};
use fieldpost::{
    Client,
    records::{RecordId, Severity, Treatment, Worker},
};

/// Creates a worker and a number of his treatments without a network, and syncs until the server has them.
pub(super) async fn drain(client: &Client, task: &Task) -> Result<Done> {
    client.trigger_sync().await?.records?;
    let worker = client.clinical().workers().create(&Worker::new("Sam", "Reyes", "Crane Ltd", "rigger")).await?;
    client.trigger_sync().await?.records?;
    queue(client, task, worker.id).await?;
    wait_for_the_start()?;
    let watch = Watch::start();
    let mut failures = 0;
    while client.record_counts().await?.pending > 0 {
        ensure!(failures < 1_000, "it never drains");
        failures += u32::from(client.trigger_sync().await?.records.is_err());
    }
    let reading = watch.stop();
    if client.record_counts().await?.failed > 0 {
        bail!("the server has refused records: {:?}", client.record_queue(1).await?);
    }
    Ok(Done::new(reading, [("failed_passes", f64::from(failures))]))
}

async fn queue(client: &Client, task: &Task, worker: RecordId) -> Result<()> {
    let medic = task.user_id.parse()?;
    for number in 0..task.queued {
        let reference = format!("{} {number}", task.mark);
        let mut treatment = Treatment::new(worker, medic, reference, "laceration", Severity::Minor);
        treatment.treatment_notes = Some("Cleaned and dressed; next check in two hours at gate B".to_owned());
        client.clinical().treatments().create(&treatment).await?;
    }
    Ok(())
}
