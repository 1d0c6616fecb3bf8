//! `fieldpost import-watermelon`: what it says, and that a kill at any moment costs nothing.

use crate::terminal::Terminal;
use fieldpost_tests::OldApp;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/fixtures").join(name).display().to_string()
}

#[test]
fn an_import_says_what_came_over_and_status_and_doctor_know_it_later() {
    let terminal = Terminal::new();
    let imported = terminal.run(&["import-watermelon", &fixture("odd.db")]);
    assert_eq!(imported.code, 0, "{imported:?}");
    for said in [
        "messages       17 of 22 came over, 2 left out, 3 kept aside",
        "waiting for the server: 6 messages",
        "! messages: 1 of them kept aside: another row is the same message of the server (msgTwin000000002)",
        "! messages.created_at: 1 of them changed: it was in seconds (msgSeconds000001)",
        "carried for the app: 2 items of photo_uploads (queue00000000014, queue00000000015)",
        "Now run `fieldpost login`",
    ] {
        assert!(imported.out.contains(said), "{said}: {}", imported.out);
    }
    let status = terminal.run(&["status"]);
    assert!(status.out.contains("from version 5 of the older app: "), "{status:?}");
    let doctor = terminal.run(&["--offline", "doctor"]);
    assert!(doctor.out.contains("imported  ") && doctor.out.contains("msgTwin000000002"), "{doctor:?}");
}

#[test]
fn a_program_gets_the_whole_report() {
    let terminal = Terminal::new();
    let into = terminal.folder().join("other.db");
    let ended =
        terminal.run(&["--json", "import-watermelon", &fixture("v5.db"), "--into", &into.display().to_string()]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert_eq!(ended.json().len(), 1, "{ended:?}");
    let value = &ended.json()[0];
    assert_eq!(value["database"], into.display().to_string());
    assert_eq!((&value["imported"]["app_version"], &value["imported"]["queued"]["messages"]), (&5.into(), &5.into()));
    assert!(into.exists() && !terminal.database.exists());
}

#[test]
fn what_is_refused_says_what_to_do_and_changes_nothing() {
    let terminal = Terminal::new();
    assert_eq!(terminal.run(&["import-watermelon", &fixture("v5.db")]).code, 0);
    let made = fs::read(&terminal.database).unwrap();
    let again = terminal.run(&["import-watermelon", &fixture("v5.db")]);
    assert!(again.code == 2 && again.err.contains("move it away; else import to another file"), "{again:?}");
    let own = terminal.database.display().to_string();
    let itself = terminal.run(&["import-watermelon", &own, "--into", &own]);
    assert!(itself.code == 2 && itself.err.contains("would become itself"), "{itself:?}");
    assert_eq!(fs::read(&terminal.database).unwrap(), made);

    let fresh = Terminal::new();
    for (name, code, said) in
        [("nothing.db", 2, "there is no file"), ("loki.db", 1, "LokiJS"), ("v6.db", 1, "version 6")]
    {
        let refused = fresh.run(&["import-watermelon", &fixture(name)]);
        assert!(refused.code == code && refused.err.contains(said), "{name}: {refused:?}");
        let refused = fresh.run(&["--json", "import-watermelon", &fixture(name)]);
        assert!(refused.json()[0]["error"]["message"].as_str().unwrap().contains(said), "{name}: {refused:?}");
    }
    assert_eq!(fs::read_dir(fresh.folder()).unwrap().count(), 0);
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let terminal = Terminal::new();
    let full = terminal.run_on_a_full_disk(&["import-watermelon", &fixture("v5.db")], 500);
    assert!(full.code == 1, "{full:?}");
    assert_eq!(fs::read_dir(terminal.folder()).unwrap().count(), 0, "{full:?}");
    assert_eq!(terminal.run(&["import-watermelon", &fixture("v5.db")]).code, 0);
}

/// The moments of an import that can be seen from outside.
fn moments(folder: &Path, target: &Path) -> Vec<Box<dyn Fn() -> bool>> {
    let size = |path: PathBuf| move || fs::metadata(&path).map_or(0, |file| file.len());
    let (copy, journal, new) =
        (size(folder.join("source.db")), size(folder.join("source.db-journal")), size(folder.join("new.db")));
    let (there, lock, made) = (folder.to_owned(), folder.join("lock"), target.to_owned());
    let empty = folder.join("new.db");
    let copied = copy.clone();
    vec![
        Box::new(move || there.exists()),
        Box::new(move || lock.exists()),
        Box::new(move || copied() > 0),
        Box::new(move || copy() > 1 << 20),
        Box::new({
            let journal = journal.clone();
            move || journal() > 0
        }),
        Box::new(move || journal() > 100_000),
        Box::new(move || empty.exists()),
        Box::new(move || new() > 0),
        Box::new(move || made.exists()),
    ]
}

/// Waits for a moment, or for the end. Whether it came.
fn wait_for(child: &mut Child, moment: &dyn Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if moment() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return moment();
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_at_any_moment_is_done_by_the_next_one() {
    let app = OldApp::new();
    app.receive(5_000).await;
    let (file, source) = (app.file().display().to_string(), fs::read(app.file()).unwrap());
    let whole = Terminal::new();
    let report = whole.run(&["--json", "import-watermelon", &file]).json()[0]["imported"].clone();
    let count = |report: &Value| (report["tables"].clone(), report["notes"].clone(), report["queued"].clone());

    let mut killed = 0;
    for number in 0..9 {
        let terminal = Terminal::new();
        let folder = terminal.folder().join("phone.db.importing");
        let mut child = terminal.start(&["--json", "import-watermelon", &file]);
        let moment = moments(&folder, &terminal.database).remove(number);
        assert!(wait_for(&mut child, &*moment), "moment {number} never came");
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());

        assert_eq!(fs::read(app.file()).unwrap(), source, "moment {number}: the source is as it was");
        let was_there = terminal.database.exists();
        let again = terminal.run(&["--json", "import-watermelon", &file]);
        if was_there {
            assert!(again.code == 2 && again.out.contains("already"), "moment {number}: {again:?}");
        } else {
            assert_eq!(again.code, 0, "moment {number}: {again:?}");
        }
        let doctor = terminal.run(&["--json", "--offline", "doctor"]).json().remove(0);
        assert_eq!(count(&doctor["imported"]), count(&report), "moment {number}");
        assert_eq!(doctor["database"]["faults"], Value::Array(Vec::new()), "moment {number}");
        assert!(!folder.exists(), "moment {number}: nothing is left");
    }
    assert!(killed >= 6, "{killed} of 9 were killed before their end");
}
