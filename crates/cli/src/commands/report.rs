//! `fieldpost report` and `fieldpost reports`.

use super::{
    edit::{find, follow, newest},
    text::{MOMENT, moment, short},
};
use crate::{
    device::Device,
    failure::Failure,
    output::Output,
    terminal::{column, one_line},
};
use fieldpost::{
    Client, PersonId, ReportId, ReportQuery, ReportReason,
    domain::{MessageReport, ReportPage},
};
use serde_json::{Value, json};

/// The columns of a name, and of a reason.
const NAME: usize = 20;
const REASON: usize = 13;

/// The message, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// The message's id, or a part of it
    message: String,
    /// Why: spam, harassment, inappropriate or other; or a word that your project knows
    #[arg(long)]
    reason: String,
    /// What to add for the admins
    #[arg(long, default_value = "", allow_hyphen_values = true, value_parser = crate::args::text)]
    note: String,
}

/// Which reports.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Also those that were dealt with
    #[arg(long, conflicts_with = "resolve")]
    all: bool,
    /// Mark this one as dealt with, by its id
    #[arg(long, value_name = "ID")]
    resolve: Option<ReportId>,
}

pub(super) async fn report(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(&arguments.conversation).await?.id);
    let shown = newest(&conversation).await?;
    let id = find(&shown, &arguments.message)?.id;
    let reason = ReportReason::from(arguments.reason.as_str());
    let reported = conversation.report(id, reason, &arguments.note).await?;
    follow(device, &conversation, reported, "report", output).await
}

pub(super) async fn reports(device: &Device, which: &Which, output: &Output) -> Result<(), Failure> {
    if let Some(id) = which.resolve {
        let resolved = device.client.resolve_report(id).await?;
        output.result(&as_json(&resolved, |_| None), || format!("Resolved {id}."));
        return Ok(());
    }
    let query = if which.all { ReportQuery::all() } else { ReportQuery::open() };
    let shown = list(&device.client, query, output).await?;
    if shown == 0 {
        output.tell(if which.all { "Nobody has reported anything." } else { "No report is open." });
    }
    Ok(())
}

/// Prints page after page, and returns how many reports there were.
async fn list(client: &Client, mut query: ReportQuery, output: &Output) -> Result<usize, Failure> {
    let mut shown = 0;
    loop {
        let page = client.reports(&query).await?;
        for report in &page.reports {
            output.result(&as_json(report, |person| page.name_of(person)), || lines(report, &page));
        }
        shown += page.reports.len();
        let Some(next) = page.next.filter(|_| !output.is_closed()) else { return Ok(shown) };
        query = query.after(next);
    }
}

fn lines(report: &MessageReport, page: &ReportPage) -> String {
    let name = |person: PersonId| page.name_of(person).unwrap_or_else(|| short(person));
    let state = report.resolved_at.map_or_else(|| "open".to_owned(), |at| format!("resolved {}", moment(at)));
    let (reason, reporter) = (one_line(report.reason.as_str()), one_line(&name(report.reporter_id)));
    let mut lines = vec![format!(
        "{}  {}  {}  {}  {state}",
        report.id,
        column(&moment(report.reported_at), MOMENT),
        column(&reason, REASON),
        column(&reporter, NAME),
    )];
    let said = report.content.as_deref().map_or_else(|| "(no text)".to_owned(), one_line);
    lines.push(format!("  {} wrote: {said}", one_line(&name(report.sender_id))));
    lines.extend(report.note.as_deref().map(|note| format!("  note: {}", one_line(note))));
    lines.join("\n")
}

fn as_json(report: &MessageReport, name: impl Fn(PersonId) -> Option<String>) -> Value {
    json!({
        "id": report.id,
        "message_id": report.message_id,
        "conversation_id": report.conversation_id,
        "org_id": report.org_id,
        "sender_id": report.sender_id,
        "sender": name(report.sender_id),
        "reporter_id": report.reporter_id,
        "reporter": name(report.reporter_id),
        "reason": report.reason,
        "note": report.note,
        "content": report.content,
        "reported_at": report.reported_at,
        "resolved_at": report.resolved_at,
        "resolved_by": report.resolved_by,
    })
}
