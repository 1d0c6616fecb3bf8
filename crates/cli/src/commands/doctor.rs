//! `fieldpost doctor`.

use super::{
    import,
    project::{self, Sentence},
    text::moment,
};
use crate::{device::Device, failure::Failure, output::Output, terminal::one_line, tokens};
use fieldpost::{CursorHealth, Diagnosis, Finding, Lane, Probe, Protection, Safety, SyncPosition};
use serde_json::{Value, json};

/// Succeeds if nothing is wrong.
pub(super) async fn run(device: &Device, project: Option<&str>, output: &Output) -> Result<(), Failure> {
    let diagnosis = match device.has_server() {
        true => device.client.diagnose().await?,
        false => device.client.diagnose_offline().await?,
    };
    let sentences = match project {
        Some(url) => Some(project::look(url).await),
        None => None,
    };
    let odd = match &sentences {
        None => 0,
        Some(Ok(sentences)) => sentences.iter().filter(|sentence| sentence.is_odd()).count(),
        Some(Err(_)) => 1,
    };
    let wrong = diagnosis.findings.len() + odd;
    // Whoever has chosen where tokens lie knows.
    let no_keyring = tokens::keyring().err().filter(|_| device.tokens.is_none());
    output.result(&as_json(&diagnosis, sentences.as_ref(), no_keyring.as_deref()), || {
        let mut lines = as_text(&diagnosis);
        lines.push(said(sentences.as_ref()));
        lines.extend(protection(&diagnosis, no_keyring.as_deref()));
        lines.extend(diagnosis.findings.iter().map(|finding| one_line(&format!("✗ {finding}"))));
        if wrong == 0 {
            lines.push("✓ nothing is wrong".to_owned());
        }
        lines.join("\n")
    });
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::error("one thing is not as it should be")),
        several => Err(Failure::error(format!("{several} things are not as they should be"))),
    }
}

/// Preflight's findings about the project.
fn said(sentences: Option<&Result<Vec<Sentence>, String>>) -> String {
    match sentences {
        None => "project   not asked (its owner asks with --project DATABASE_URL)".to_owned(),
        Some(Err(why)) => format!("project   {}", one_line(why)),
        Some(Ok(sentences)) if sentences.is_empty() => "project   nothing is odd".to_owned(),
        Some(Ok(sentences)) => sentences.iter().map(Sentence::line).collect::<Vec<_>>().join("\n"),
    }
}

fn as_json(
    diagnosis: &Diagnosis,
    sentences: Option<&Result<Vec<Sentence>, String>>,
    no_keyring: Option<&str>,
) -> Value {
    let finding = |finding: &Finding| json!({"code": finding.code(), "message": finding.to_string()});
    json!({
        "database": {
            "schema_version": diagnosis.database.schema_version,
            "bytes": diagnosis.database.bytes,
            "faults": diagnosis.database.faults,
        },
        "imported": diagnosis.imported,
        "owner": diagnosis.owner,
        "signed_in": diagnosis.signed_in,
        "orgs": diagnosis.orgs,
        "position": position(&diagnosis.sync.position),
        "cursor": cursor(&diagnosis.sync.position),
        "last_success_at": diagnosis.sync.last_success_at,
        "unreadable_rows": diagnosis.sync.unreadable_rows,
        "oversized": diagnosis.oversized,
        "sql_version": diagnosis.sql_version(),
        "sql_version_wanted": fieldpost::SQL_VERSION,
        "capabilities": diagnosis.sync.server.as_ref().map(|server| &server.capabilities),
        "lanes": diagnosis.lanes.iter().map(lane_json).collect::<Vec<_>>(),
        "server": diagnosis.server.as_ref().map(|server| match server {
            Ok(probe) => probe_json(probe),
            Err(error) => json!({"error": error.to_string()}),
        }),
        "project": sentences.map(|sentences| match sentences {
            Ok(sentences) => json!(sentences),
            Err(why) => json!({"error": why}),
        }),
        "protection": diagnosis.protection.iter().map(protection_json).collect::<Vec<_>>(),
        "no_keyring": no_keyring,
        "findings": diagnosis.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn protection_json(protection: &Protection) -> Value {
    json!({"subject": protection.subject, "safety": protection.safety.code(), "message": protection.text})
}

/// What is protected by what, and what is not: one line each.
fn protection(diagnosis: &Diagnosis, no_keyring: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = diagnosis.protection.iter().map(protection_line).collect();
    lines.extend(no_keyring.map(|why| format!("keyring   none can be used here: {}", one_line(why))));
    lines
}

fn protection_line(protection: &Protection) -> String {
    let sign = match protection.safety {
        Safety::Protected => "protected",
        Safety::Open => "open",
        Safety::Elsewhere => "outside",
        _ => "unknown",
    };
    format!("{sign:<9} {}", one_line(&protection.text))
}

fn lane_json(lane: &Lane) -> Value {
    json!({
        "conversation_id": lane.conversation_id,
        "queued": lane.queued,
        "sending": lane.sending,
        "failed": lane.failed,
        "retries": lane.retries,
        "oldest_at": lane.oldest_at,
    })
}

fn probe_json(probe: &Probe) -> Value {
    json!({
        "protocol": probe.protocol,
        "server_time": probe.server_time,
        "clock_skew_ms": probe.clock_skew.num_milliseconds(),
        "round_trip_ms": u64::try_from(probe.round_trip.as_millis()).unwrap_or(u64::MAX),
        "push_rows": probe.limits.push_rows,
        "page_rows": probe.limits.page_rows,
        "cursor": place(probe.cursor),
    })
}

fn position(position: &SyncPosition) -> &'static str {
    match position {
        SyncPosition::Fresh => "fresh",
        SyncPosition::FirstScreen | SyncPosition::Bootstrapping { .. } => "loading",
        SyncPosition::Following(_) => "following",
    }
}

fn cursor(position: &SyncPosition) -> Option<&str> {
    match position {
        SyncPosition::Following(cursor) => Some(cursor.as_str()),
        _ => None,
    }
}

const fn place(cursor: CursorHealth) -> &'static str {
    match cursor {
        CursorHealth::Loading => "loading",
        CursorHealth::Good { behind: true } => "behind",
        CursorHealth::Good { behind: false } => "up_to_date",
        CursorHealth::Expired(_) => "expired",
    }
}

fn as_text(diagnosis: &Diagnosis) -> Vec<String> {
    let mut lines = vec![database(diagnosis)];
    if let Some(report) = &diagnosis.imported {
        lines.push(format!("imported  {}", import::summary(report)));
        lines.extend(import::told(report).iter().map(|line| format!("          {line}")));
    }
    lines.extend([account(diagnosis), followed(diagnosis)]);
    lines.extend(diagnosis.lanes.iter().map(|lane| {
        let Lane { conversation_id, queued, sending, failed, retries, oldest_at } = lane;
        format!(
            "outbox    {conversation_id}: {queued} queued, {sending} sending, {failed} refused, {retries} retries, since {}",
            moment(*oldest_at)
        )
    }));
    if diagnosis.lanes.is_empty() {
        lines.push("outbox    empty".to_owned());
    }
    lines.push(match &diagnosis.server {
        None => "server    not asked".to_owned(),
        Some(Err(error)) => format!("server    {}", one_line(&error.to_string())),
        Some(Ok(probe)) => server(probe),
    });
    lines.push(sql(diagnosis));
    lines
}

fn database(diagnosis: &Diagnosis) -> String {
    let version = diagnosis.database.schema_version.map_or_else(String::new, |version| format!("version {version}, "));
    let size = diagnosis.database.bytes.map_or_else(String::new, |bytes| format!("{} KiB, ", bytes / 1024));
    let state = if diagnosis.database.faults.is_empty() { "sound" } else { "damaged" };
    let owner = diagnosis.owner.map_or_else(|| "nobody's yet".to_owned(), |owner| format!("of {owner}"));
    format!("database  {version}{size}{state}, {owner}")
}

/// Who the server says that the person is.
fn account(diagnosis: &Diagnosis) -> String {
    let who = diagnosis.sync.me.as_ref().map_or_else(
        || "not known yet".to_owned(),
        |me| one_line(&format!("{} ({}), of organization {}", me.display_name(), me.role, me.org_id)),
    );
    let orgs = diagnosis.orgs.len();
    let more = if orgs > 1 {
        format!("; {} memberships: one in each of {orgs} organizations", number(orgs))
    } else {
        String::new()
    };
    format!("account   {who}{more}")
}

fn number(count: usize) -> String {
    if count == 2 { "two".to_owned() } else { count.to_string() }
}

/// What is installed on the server, as far as it has told.
fn sql(diagnosis: &Diagnosis) -> String {
    let wanted = fieldpost::SQL_VERSION;
    match diagnosis.installed_sql() {
        Some(installed) => format!("sql       version {installed} is installed, this client wants {wanted}"),
        None => format!("sql       not known before a sync; this client wants version {wanted}"),
    }
}

fn followed(diagnosis: &Diagnosis) -> String {
    let last = diagnosis.sync.last_success_at.map_or_else(|| "never".to_owned(), moment);
    let at = cursor(&diagnosis.sync.position).map_or_else(String::new, |cursor| format!(" at {}", one_line(cursor)));
    format!("sync      {}{at}, last finished: {last}", position(&diagnosis.sync.position))
}

fn server(probe: &Probe) -> String {
    format!(
        "server    protocol {}, answered in {} ms, clock {:+} ms, {}",
        probe.protocol,
        probe.round_trip.as_millis(),
        probe.clock_skew.num_milliseconds(),
        place(probe.cursor).replace('_', " ")
    )
}
