//! The chapter of the urgent record: what the law wants reported does not wait behind a backlog.

use super::{stage::Stage, story::Story};
use crate::failure::Failure;
use fieldpost::{
    Client, MedicId,
    records::{RecordQuery, RecordState, Severity, TableName, Treatment, Worker},
};
use fieldpost_devserver::LineConditions;
use std::time::Duration;

/// The number of its reference.
const REFERENCE: &str = "SITE-20260131-001";

/// What the chapter showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Urgent {
    /// Messages that still waited when the server had the treatment.
    pub(super) waiting: u64,
}

pub(super) async fn treatment_before_backlog(stage: &Stage, story: &Story, backlog: u32) -> Result<Urgent, Failure> {
    story.chapter("A treatment that the law wants reported");
    stage.medic.network.offline(true).await;
    let client = stage.medic.start_app().await?;
    let thread = client.conversation(stage.thread(&client).await?);
    for number in 0..backlog {
        thread.send(&format!("Round {number}: all quiet")).await?;
    }
    story.say(&format!(
        "Offline again, the medic writes {backlog} messages, and then a treatment that is to be reported (RIDDOR),"
    ));
    story.say("of a worker whom the server does not know yet either.");
    let treatment = write(&client).await?;
    stage.medic.network.offline(false).await;
    stage.medic.network.line(LineConditions { round_trip: Duration::from_millis(200), ..LineConditions::default() });
    client.start().await;
    until_synced(&client, treatment).await?;
    let waiting = client.pending().await?.pending;
    story.claim("the treatment arrived before the backlog", waiting > u64::from(backlog) / 2, true)?;
    story.say(&format!("The network returns. When the server has the treatment, {waiting} messages still wait."));
    until_fewer_wait(&client, u64::from(backlog)).await?;
    story.say("They follow, in batches.");
    client.close().await?;
    stage.medic.network.line(LineConditions::default());
    on_the_admins_device(stage, story).await?;
    Ok(Urgent { waiting })
}

async fn write(client: &Client) -> Result<fieldpost::records::RecordId, Failure> {
    let clinical = client.clinical();
    let worker = clinical.workers().create(&Worker::new("Sam", "Reyes", "Crane Ltd", "rigger")).await?;
    let me = client.me().await?.and_then(|me| me.medic_id);
    let medic = me.as_ref().map(MedicId::as_uuid).unwrap_or_default();
    let mut treatment = Treatment::new(worker.id, medic, REFERENCE, "fracture", Severity::Major);
    treatment.is_riddor_reportable = true;
    Ok(clinical.treatments().create(&treatment).await?.id)
}

/// Waits until the server has the treatment.
async fn until_synced(client: &Client, treatment: fieldpost::records::RecordId) -> Result<(), Failure> {
    let mut counts = client.watch_record_counts()?;
    loop {
        let now = client.clinical().treatments().get(treatment).await?;
        if now.is_some_and(|now| now.state == RecordState::Synced) {
            return Ok(());
        }
        counts.next().await.ok_or_else(|| Failure::error("the client ended"))??;
    }
}

/// Waits until the server has some of the backlog. The rest would take a while, and shows nothing new.
async fn until_fewer_wait(client: &Client, backlog: u64) -> Result<(), Failure> {
    let mut status = client.status();
    while client.pending().await?.pending >= backlog {
        status.changed().await.map_err(|_| Failure::error("the client ended"))?;
    }
    Ok(())
}

async fn on_the_admins_device(stage: &Stage, story: &Story) -> Result<(), Failure> {
    let admin = stage.admin.start_app().await?;
    let report = admin.trigger_sync().await?;
    report.records.map_err(fieldpost::Error::from)?;
    report.messages.map_err(fieldpost::Error::from)?;
    let treatments = TableName::new("treatments").map_err(Failure::error)?;
    let all = admin.clinical().treatments().query(RecordQuery::new(treatments)).await?;
    let there = all.iter().filter(|treatment| treatment.model.reference_number == REFERENCE).count();
    story.claim("the treatment on the admin's device", there, 1)?;
    story.say("The admin's device has it too, once.");
    Ok(admin.close().await?)
}
