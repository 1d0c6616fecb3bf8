//! The cost of the server's functions compared with plain SQL: benches/peers/serving.mjs does the work.

use crate::{
    Notes, Reading, Size,
    project::{Project, node},
};
use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
struct Measured {
    case: String,
    subject: String,
    round: u32,
    seconds: f64,
    rows: u64,
}

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let conversations = size.pick(2, 20, 20);
    let org = Project::tenant(conversations, 1)?;
    let question = json!({
        "rounds": size.pick(1, 3, 5), "push": size.pick(5, 500, 500), "pull": size.pick(5, 2_000, 2_000),
        "clients": size.pick(vec![1], vec![1, 16], vec![1, 16]), "org_id": org.org_id, "user_id": org.admin.user_id,
        "conversations": org.conversations.iter().map(|conversation| &conversation.id).collect::<Vec<_>>(),
    });
    let lines: Vec<Measured> = serde_json::from_value(node("benches/peers/serving.mjs", &question)?)
        .context("serving.mjs prints what it has measured")?;
    for line in lines {
        let reading = Reading { seconds: line.seconds, cpu: 0.0 };
        notes.write(&line.case, &line.subject, line.round, reading, line.rows, [])?;
    }
    Ok(())
}
