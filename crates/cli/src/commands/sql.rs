//! `fieldpost sql`: the SQL that a Supabase project needs, as files for the tools that apply it.

use crate::{args::Sql, failure::Failure, output::Output};
use fieldpost::SQL_VERSION;
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// All parts of `migrations/supabase`, joined.
const SCRIPT: &str = include_str!(concat!(env!("OUT_DIR"), "/fieldpost.sql"));
const CLINICAL: &str = include_str!("../../../../migrations/supabase/clinical/clinical.sql");
const PREFLIGHT: &str = include_str!("../../../../migrations/supabase/0050_preflight.sql");
const PREPARE: &str = include_str!("../../../../migrations/supabase/prepare/prepare.sql");

pub(super) fn run(what: &Sql, output: &Output) -> Result<(), Failure> {
    match what {
        Sql::Export { to, adopt } if to == Path::new("-") => {
            output.raw(&script(*adopt));
            Ok(())
        }
        Sql::Export { to, adopt } => export(to, &suffix(), &script(*adopt), output),
        Sql::Clinical { to } if to == Path::new("-") => {
            output.raw(CLINICAL);
            Ok(())
        }
        Sql::Clinical { to } => export(to, "_fieldpost_clinical.sql", CLINICAL, output),
        Sql::Preflight => {
            output.raw(&preflight());
            Ok(())
        }
        Sql::Prepare => {
            output.raw(PREPARE);
            Ok(())
        }
    }
}

/// The script, including the operator's agreement if she gave it.
fn script(adopt: bool) -> String {
    if adopt {
        SCRIPT.replacen("\nbegin;\n", "\nbegin;\nset local fieldpost.adopt = 'all';\n", 1)
    } else {
        SCRIPT.to_owned()
    }
}

/// The project check alone, with its findings as one JSON list.
pub(super) fn preflight_as_json() -> String {
    preflight().replace(
        "select * from pg_temp.fieldpost_preflight() order by level, about;",
        "select coalesce(json_agg(p), '[]') from pg_temp.fieldpost_preflight() p;",
    )
}

/// The project check alone: a function that disappears with the session, and a query that calls it.
fn preflight() -> String {
    let start = PREFLIGHT.find("create or replace function").unwrap_or_default();
    let end = PREFLIGHT.find("comment on function").unwrap_or(PREFLIGHT.len());
    let function = PREFLIGHT.get(start..end).unwrap_or_default();
    format!(
        "-- What Fieldpost would find in this project. Nothing is installed and nothing is changed.\n\n{}\n\
         select * from pg_temp.fieldpost_preflight() order by level, about;\n",
        function.replacen("fieldpost.preflight()", "pg_temp.fieldpost_preflight()", 1)
    )
}

/// Writes a script as the last migration, unless the last one of this name says the same.
fn export(folder: &Path, suffix: &str, script: &str, output: &Output) -> Result<(), Failure> {
    let names = names(folder)?;
    if let Some(last) = names.iter().rfind(|name| name.ends_with(suffix)) {
        let there = folder.join(last);
        if fs::read_to_string(&there).is_ok_and(|text| text == script) {
            report(&there, false, output);
            return Ok(());
        }
    }
    let path = folder.join(format!("{}{suffix}", stamp(&names)));
    write(&path, script).map_err(|error| Failure::error(format!("cannot write {}: {error}", path.display())))?;
    report(&path, true, output);
    Ok(())
}

fn report(path: &Path, written: bool, output: &Output) {
    let value = json!({"file": path.display().to_string(), "version": SQL_VERSION, "written": written});
    output.result(&value, || {
        let what = if written { "Wrote" } else { "Nothing to do: this version is there as" };
        format!(
            "{what} {}.\nApply it with `supabase db push`, or with `psql \"$DATABASE_URL\" -v ON_ERROR_STOP=1 -f {}`.\n\
             To see first what it finds in your project: `fieldpost sql preflight | psql \"$DATABASE_URL\"`.",
            path.display(),
            path.display()
        )
    });
}

/// The existing migrations, in the order in which they are applied.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!(
            "there is no folder {}: run this in the folder of your Supabase project, or say where its migrations are with --to",
            folder.display()
        )),
        _ => Failure::error(format!("cannot read {}: {error}", folder.display())),
    })?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.retain(|name| name.ends_with(".sql"));
    names.sort();
    Ok(names)
}

fn suffix() -> String {
    format!("_fieldpost_v{SQL_VERSION}.sql")
}

/// A timestamp after every existing migration: the Supabase CLI applies none that sorts before one it has applied.
fn stamp(names: &[String]) -> u64 {
    let now: chrono::DateTime<chrono::Utc> = SystemTime::now().into();
    let now = now.format("%Y%m%d%H%M%S").to_string().parse().unwrap_or(u64::MIN);
    let last = names.iter().filter_map(|name| name.split('_').next()?.parse::<u64>().ok()).max();
    last.map_or(now, |last| now.max(last.saturating_add(1)))
}

/// Writes the whole file or nothing: half a migration would be applied.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let draft: PathBuf = path.with_extension("sql.part");
    fs::write(&draft, text)?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_of_the_version_that_this_client_wants() {
        assert!(SCRIPT.contains(&format!("c_version constant int := {SQL_VERSION};")));
        assert!(SCRIPT.contains(&format!("values ('version', '{SQL_VERSION}'),")));
        assert!(SCRIPT.contains(&format!("'sql_version', {SQL_VERSION},")));
        assert!(SCRIPT.trim_end().ends_with("commit;"));
    }

    #[test]
    fn preflight_by_itself_creates_nothing_that_stays() {
        let text = preflight();
        let statements: Vec<_> = text
            .lines()
            .filter(|line| ["create", "alter", "drop", "begin"].iter().any(|word| line.starts_with(word)))
            .collect();
        assert_eq!(statements, ["create or replace function pg_temp.fieldpost_preflight()", "begin"]);
        assert!(!text.contains("take_locks") && text.contains("pg_temp.fieldpost_preflight()"));
    }

    #[test]
    fn the_clinical_file_brings_its_own_transaction() {
        assert_eq!((CLINICAL.matches("\nbegin;\n").count(), CLINICAL.matches("\ncommit;\n").count()), (1, 1));
        assert!(CLINICAL.trim_end().ends_with("commit;"));
    }

    #[test]
    fn an_exported_file_sorts_after_every_migration_there_is() {
        let names = vec!["29990101000000_theirs.sql".to_owned(), "notes.sql".to_owned()];
        assert_eq!(stamp(&names), 29_990_101_000_001);
        assert!(stamp(&[]) > 20_260_000_000_000);
    }

    #[test]
    fn agreeing_to_adopt_is_the_first_thing_in_the_transaction() {
        assert_eq!(script(true).matches("set local fieldpost.adopt = 'all';").count(), 1);
        assert!(!script(false).contains("fieldpost.adopt = "));
    }
}
