//! Changes that lost, and what to do about them.

use super::{
    Decision,
    text::{as_json as record_as_json, line as record_line, shown_fields},
};
use crate::{
    commands::text::{list_line, moment, short},
    device::Device,
    failure::Failure,
    named::{self, Candidate, Kind},
    output::Output,
};
use fieldpost::records::RecordConflict;
use serde_json::{Value, json};

pub(super) async fn run(device: &Device, decision: Option<Decision>, output: &Output) -> Result<(), Failure> {
    match decision {
        None => list(device, output).await,
        Some(Decision::Reapply { which }) => {
            let lost = find(device, &which).await?;
            let record = device.client.reapply_record_conflict(lost.mutation_id).await?;
            output.result(&record_as_json(&record), || record_line(&record));
            device.sync_if_possible(output).await
        }
        Some(Decision::Dismiss { which }) => {
            let lost = find(device, &which).await?;
            let dismissed = device.client.dismiss_record_conflict(lost.mutation_id).await?;
            output.result(&json!({ "dismissed": dismissed }), || "The winner stands.".to_owned());
            Ok(())
        }
    }
}

async fn list(device: &Device, output: &Output) -> Result<(), Failure> {
    let conflicts = device.client.record_conflicts().await?;
    if conflicts.is_empty() {
        output.tell("No change of this device has lost.");
    }
    conflicts.iter().for_each(|conflict| output.result(&as_json(conflict), || line(conflict)));
    Ok(())
}

async fn find(device: &Device, wanted: &str) -> Result<RecordConflict, Failure> {
    let conflicts = device.client.record_conflicts().await?.into_iter();
    let candidates = conflicts.map(|conflict| Candidate {
        name: String::new(),
        ids: vec![conflict.mutation_id.to_string(), conflict.record_id.to_string()],
        what: conflict,
    });
    let kind = Kind { one: "lost change", several: "lost changes", listed_by: "records conflicts" };
    named::find(candidates.collect(), wanted, &kind)
}

fn as_json(conflict: &RecordConflict) -> Value {
    json!({
        "mutation_id": conflict.mutation_id,
        "table": conflict.table,
        "record_id": conflict.record_id,
        "lost": conflict.lost,
        "lost_modified_at": conflict.lost_modified_at,
        "won": conflict.won,
        "won_modified_at": conflict.won_modified_at,
        "noticed_at": conflict.noticed_at,
    })
}

fn line(conflict: &RecordConflict) -> String {
    let columns = format!(
        "{}  {} {}  {}  ",
        moment(conflict.noticed_at),
        conflict.table,
        short(conflict.record_id),
        short(conflict.mutation_id)
    );
    let (lost, won) = (shown_fields(&conflict.lost), shown_fields(&conflict.won));
    list_line(&columns, &format!("lost: {lost}; stands: {won}"))
}
