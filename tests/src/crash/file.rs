//! Examines the file that a killed process left behind, with its own SQL: the checks must not rely on the store under
//! test.

use super::{Finding, Harm, Stored, ledger::Ledger, victim::digits};
use anyhow::{Context, Result};
use fieldpost::Key;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};
use std::{fmt::Display, fs, path::Path};

/// Messages (as a JSON array of ids) that are neither in the outbox nor sent.
const NOWHERE: &str = "SELECT value FROM json_each(?) WHERE NOT EXISTS (
    SELECT 1 FROM messages WHERE id = unhex(value, '-') AND server_id IS NOT NULL
) AND NOT EXISTS (SELECT 1 FROM outbox WHERE message_id = unhex(value, '-'))";

/// Messages of the owner that count as sent but are not among those of the server (a JSON array of ids).
const SENT_INTO_NOTHING: &str = "SELECT lower(hex(id)) FROM messages
    WHERE server_id IS NOT NULL AND sender_id = (SELECT person_id FROM account)
    AND id NOT IN (SELECT unhex(value, '-') FROM json_each(?))";

/// A queued message without a mutation would never be sent; a mutation without a message would be sent unseen.
const HALVES: &str = "SELECT 'message without mutation ' || hex(id) FROM messages
        WHERE server_id IS NULL AND id NOT IN (SELECT message_id FROM outbox WHERE message_id IS NOT NULL)
    UNION ALL SELECT 'mutation without message ' || hex(message_id) FROM outbox
        WHERE message_id IS NOT NULL AND message_id NOT IN (SELECT id FROM messages)";

/// Messages (as a JSON array of ids) that exist although they were cancelled.
const RETURNED: &str = "SELECT value FROM json_each(?) WHERE unhex(value, '-') IN
    (SELECT id FROM messages UNION SELECT message_id FROM outbox)";

/// Conversations (as a JSON array of ids) that the file does not know.
const UNOPENED: &str = "SELECT value FROM json_each(?) WHERE unhex(value, '-') NOT IN
    (SELECT id FROM conversations UNION SELECT id FROM aliases)";

/// Treatments (as a JSON array of ids) that the file does not have.
const NO_RECORD: &str = "SELECT value FROM json_each(?) WHERE unhex(value, '-') NOT IN
    (SELECT id FROM treatments WHERE NOT deleted UNION SELECT id FROM record_aliases)";

/// A record that the server does not have needs a create in the queue, and a queued create its record, unless that is
/// deleted since.
const HALF_RECORDS: &str =
    "SELECT 'record without create ' || hex(id) FROM treatments WHERE server_id IS NULL AND id NOT IN
        (SELECT record_id FROM record_queue WHERE operation = 'create')
    UNION ALL SELECT 'create without record ' || hex(record_id) FROM record_queue
        WHERE operation = 'create' AND table_name = 'treatments' AND record_id NOT IN (SELECT id FROM treatments)
        AND record_id NOT IN (SELECT record_id FROM record_queue WHERE operation = 'delete')";

/// Nothing refuses a record here.
const REFUSED_RECORDS: &str =
    "SELECT operation || ' ' || failed_code || ' ' || coalesce(failed_detail, '') FROM record_queue
    WHERE failed_code IS NOT NULL";

/// Unexpected refusals. Expected are those of conversations with a medic who had not joined yet (a JSON array has the
/// ids of the medics who have always been on the roster).
const REFUSED: &str =
    "SELECT kind || ' ' || failed_code FROM outbox WHERE failed_code IS NOT NULL AND conversation_id NOT IN
    (SELECT id FROM conversations WHERE medic_id NOT IN (SELECT unhex(value, '-') FROM json_each(?)))";

/// Examines a file that nobody else has open.
pub(super) async fn examine(
    path: &Path,
    key: Option<&Key>,
    ledger: &Ledger,
    stored: &[Stored],
) -> Result<Vec<Finding>> {
    let leaks = if key.is_some() { leaks(path)? } else { Vec::new() };
    let mut options = ConnectOptions::new(format!("sqlite://{}", path.display()));
    if let Some(key) = key.map(|key| format!("\"x'{}'\"", digits(key))) {
        options.map_sqlx_sqlite_opts(move |sqlite| sqlite.pragma("key", key.clone()));
    }
    let file = Database::connect(options).await.context("opening the file")?;
    let found = look(&file, ledger, stored).await;
    file.close().await?;
    match found {
        Ok(findings) => Ok(leaks.into_iter().chain(findings).collect()),
        // A file that SQLite cannot read is a finding, not a failure of this program.
        Err(error) => Ok(vec![Harm::Corrupt.found(error.to_string())]),
    }
}

/// What every file with rows has in it, and what others write in this run.
const WORDS: [&str; 4] = ["SQLite format 3", "CREATE TABLE", "meanwhile ", "messages_search"];

/// The files of an encrypted database in which something can be read.
fn leaks(path: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(path.parent().context("a file in no folder")?)? {
        let file = entry?.path();
        // The companion's file is none of the victim's.
        if file.is_file() && file.to_string_lossy().starts_with(&*path.to_string_lossy()) {
            let bytes = fs::read(&file)?;
            let found = WORDS.iter().find(|word| bytes.windows(word.len()).any(|part| part == word.as_bytes()));
            findings.extend(found.map(|word| Harm::Readable.found(format!("{word} in {}", file.display()))));
        }
    }
    Ok(findings)
}

async fn look(file: &DatabaseConnection, ledger: &Ledger, stored: &[Stored]) -> Result<Vec<Finding>, sea_orm::DbErr> {
    let stored = json_ids(stored.iter().map(|one| one.id));
    let mut findings = Vec::new();
    let mut add = |harm: Harm, what: &str, rows: Vec<String>| {
        findings.extend(rows.into_iter().map(|row| harm.found(format!("{what}: {row}"))));
    };
    let whole = texts(file, "PRAGMA integrity_check", None).await?;
    add(Harm::Corrupt, "integrity_check", whole.into_iter().filter(|line| line != "ok").collect());
    add(Harm::Corrupt, "foreign_key_check", texts(file, "SELECT \"table\" FROM pragma_foreign_key_check", None).await?);
    add(Harm::Lost, "not in the file", texts(file, NOWHERE, Some(&json_ids(ledger.owed_ids()))).await?);
    add(Harm::Lost, "sent, but not on the server", texts(file, SENT_INTO_NOTHING, Some(&stored)).await?);
    add(Harm::Corrupt, "half written", texts(file, HALVES, None).await?);
    add(Harm::Lost, "not open", texts(file, UNOPENED, Some(&json_ids(ledger.open_ids()))).await?);
    add(Harm::Returned, "still in the file", texts(file, RETURNED, Some(&json_ids(ledger.gone_ids()))).await?);
    add(Harm::Refused, "a dead letter", texts(file, REFUSED, Some(&json_ids(ledger.known_medics()))).await?);
    add(Harm::Lost, "no record", texts(file, NO_RECORD, Some(&json_ids(ledger.owed_records()))).await?);
    add(Harm::Corrupt, "half a record", texts(file, HALF_RECORDS, None).await?);
    add(Harm::Refused, "a record", texts(file, REFUSED_RECORDS, None).await?);
    // The integrity check of the search index covers every word of every message that is in it.
    let index = "INSERT INTO messages_search (messages_search, rank) VALUES ('integrity-check', 1)";
    if let Err(error) = file.execute_unprepared(index).await {
        add(Harm::Corrupt, "search index", vec![error.to_string()]);
    }
    Ok(findings)
}

/// The first column of every row.
async fn texts(file: &DatabaseConnection, sql: &str, argument: Option<&str>) -> Result<Vec<String>, sea_orm::DbErr> {
    let values = argument.map(|text| Value::String(Some(text.to_owned())));
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    file.query_all_raw(statement).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

fn json_ids(ids: impl IntoIterator<Item = impl Display>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", ids.join(","))
}
