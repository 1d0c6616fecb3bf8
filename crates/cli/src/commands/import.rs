//! `fieldpost import-watermelon`.

use super::text::moment;
use crate::{
    args::DeviceArgs,
    device::database,
    failure::Failure,
    keys,
    output::Output,
    terminal::{column, one_line},
};
use fieldpost::{
    ImportError, ImportOutcome, ImportReport, ImportedTable, import_watermelon, import_watermelon_encrypted,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// As many ids of a note are shown to a person.
const SHOWN: usize = 5;

pub(super) async fn run(args: &DeviceArgs, file: &Path, into: Option<PathBuf>, output: &Output) -> Result<(), Failure> {
    let target = match into {
        Some(target) => target,
        None => database(args)?,
    };
    let bar = output.import_bar();
    let shown = bar.clone();
    let watch = move |progress| shown.show(progress);
    let report = match keys::of(args)? {
        Some(key) => import_watermelon_encrypted(file, &target, key, watch).await,
        None => import_watermelon(file, &target, watch).await,
    };
    bar.done();
    let report = report.map_err(|error| failure(&error))?;
    output.result(&json!({"database": target, "imported": report}), || {
        let mut lines = vec![format!("Imported {} into {}.", file.display(), target.display())];
        lines.extend(told(&report));
        lines.push("Now run `fieldpost login` as the person whose phone it was, then `fieldpost sync`.".to_owned());
        lines.join("\n")
    });
    Ok(())
}

fn failure(error: &ImportError) -> Failure {
    let message = one_line(&error.to_string());
    match error {
        ImportError::NoSource(_) | ImportError::TargetIsSource(_) | ImportError::TargetExists { .. } => {
            Failure::usage(message)
        }
        _ => Failure::error(message),
    }
}

/// What a report says in one line.
pub(super) fn summary(report: &ImportReport) -> String {
    let (rows, came) = report.rows();
    let aside = match report.kept_aside() {
        0 => String::new(),
        aside => format!(", {aside} kept aside"),
    };
    format!(
        "{} from version {} of the older app: {came} of {rows} rows{aside}",
        moment(report.imported_at),
        report.app_version
    )
}

/// The same for a program.
pub(super) fn brief(report: &ImportReport) -> Value {
    let (rows, came) = report.rows();
    json!({"at": report.imported_at, "app_version": report.app_version, "rows": rows, "came": came,
        "kept_aside": report.kept_aside()})
}

/// The report for a person.
pub(super) fn told(report: &ImportReport) -> Vec<String> {
    let mut lines: Vec<String> = report.tables.iter().filter(|table| table.rows > 0).map(table).collect();
    let queued = report.queued;
    lines.push(format!(
        "waiting for the server: {} messages, {} conversations to open, {} changes of records ({} immediate), {} audit entries",
        queued.messages, queued.conversations, queued.changes, queued.immediate, queued.audit
    ));
    lines.extend(report.last_sync_at.map(|at| format!("the older app had synced last: {}", moment(at))));
    for note in &report.notes {
        let column = note.column.as_ref().map_or_else(String::new, |column| format!(".{column}"));
        let ids = note.ids.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if note.rows > SHOWN as u64 { ", …" } else { "" };
        let mark = if note.outcome == ImportOutcome::Left { "·" } else { "!" };
        lines.push(one_line(&format!(
            "{mark} {}{column}: {} of them {}: {} ({ids}{more})",
            note.table, note.rows, note.outcome, note.reason
        )));
    }
    lines.extend(report.carried.iter().map(|items| {
        let ids = items.ids.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        one_line(&format!("carried for the app: {} items of {} ({ids})", items.items, items.table))
    }));
    lines.extend(report.set_aside.iter().map(|aside| {
        one_line(&format!("kept, unknown to Fieldpost: {} ({} rows), now {}", aside.name, aside.rows, aside.kept_as))
    }));
    lines.extend(
        report.dropped.iter().map(|object| one_line(&format!("left behind: the {} {}", object.kind, object.name))),
    );
    lines.extend(report.file.iter().map(|sentence| one_line(sentence)));
    lines
}

fn table(table: &ImportedTable) -> String {
    let ImportedTable { table: name, rows, came, left, kept_aside, .. } = table;
    let numbers = format!("{came} of {rows} came over, {left} left out, {kept_aside} kept aside");
    format!("{} {numbers}", column(name, 14))
}
