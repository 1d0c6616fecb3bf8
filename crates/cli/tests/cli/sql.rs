//! `fieldpost sql`: files for the tools that apply SQL.

use crate::terminal::Terminal;
use std::fs;

#[test]
fn the_sql_is_exported_once_as_the_last_migration_and_again_when_the_operator_agrees_to_more() {
    let terminal = Terminal::new();
    let folder = terminal.folder().join("migrations");
    let to = folder.to_str().unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("29990101000000_theirs.sql"), "select 1;").unwrap();

    let first = terminal.run(&["--json", "sql", "export", "--to", to]);
    let again = terminal.run(&["--json", "sql", "export", "--to", to]);
    let adopting = terminal.run(&["--json", "sql", "export", "--to", to, "--adopt"]);

    let [first, again, adopting] = [first, again, adopting].map(|ended| ended.json().remove(0));
    assert!(first["file"].as_str().unwrap().ends_with("29990101000001_fieldpost_v2.sql"), "{first}");
    assert_eq!((&first["written"], &again["written"], &again["file"]), (&true.into(), &false.into(), &first["file"]));
    assert!(adopting["file"].as_str().unwrap().ends_with("29990101000002_fieldpost_v2.sql"), "{adopting}");
    let text = fs::read_to_string(first["file"].as_str().unwrap()).unwrap();
    assert!(text.contains("\nbegin;\n") && text.trim_end().ends_with("commit;"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "no drafts are left");
}

#[test]
fn the_sql_can_be_printed_and_a_folder_that_is_missing_is_named() {
    let terminal = Terminal::new();

    let printed = terminal.run(&["sql", "export", "--to", "-"]);
    let preflight = terminal.run(&["sql", "preflight"]);
    let prepare = terminal.run(&["sql", "prepare"]);
    let nowhere = terminal.run(&["sql", "export", "--to", "no/such/folder"]);

    assert!(printed.out.contains("create or replace function public.fieldpost_push("));
    assert!(preflight.out.trim_end().ends_with("order by level, about;"));
    assert!(prepare.out.contains("create unique index concurrently if not exists fieldpost_messages_seq"));
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("no/such/folder") && nowhere.err.contains("--to"), "{}", nowhere.err);
    assert!(!terminal.database.exists(), "no device is opened for it");
}

#[test]
fn a_project_that_cannot_be_asked_is_a_finding_that_does_not_tell_the_password() {
    let terminal = Terminal::new();

    let no_url = terminal.run(&["--json", "--offline", "doctor", "--project", "not a url"]);
    let nobody = terminal.run(&["--json", "--offline", "doctor", "--project", "postgres://me:secret@127.0.0.1:1/x"]);
    let unasked = terminal.run(&["--offline", "doctor"]);

    assert!(no_url.json()[0]["project"]["error"].as_str().unwrap().contains("postgres://USER"), "{no_url:?}");
    assert!(
        nobody.json()[0]["project"]["error"].is_string() && !format!("{nobody:?}").contains("secret"),
        "{nobody:?}"
    );
    assert_eq!((no_url.code, nobody.code), (1, 1));
    assert!(unasked.out.contains("--project DATABASE_URL"), "{}", unasked.out);
}
