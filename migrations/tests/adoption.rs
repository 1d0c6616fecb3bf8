//! Files in the odd states that the users of WatermelonDB report, and the account of what became of each row.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step of a test that fails has to fail the test")]

mod file;

use fieldpost_migrations::{FileState, Progress, SCHEMA_VERSION, inspect, upgrade_watched};
use file::{File, fixture};
use sea_orm_migration::sea_orm::TransactionTrait;
use serde_json::Value;
use std::sync::{Arc, Mutex};

const ADOPTED: [&str; 8] = ["v4.db", "v5.db", "v5-0.25.db", "v5-0.27.db", "odd.db", "behind.db", "ahead.db", "own.db"];

/// Tables in which a row of the app is a row.
const SAME: [&str; 6] = ["workers", "near_misses", "safety_checks", "conversations", "messages", "audit_log"];

struct Adopted {
    file: File,
    account: Value,
}

async fn adopted(name: &str) -> Adopted {
    let file = fixture(name).await;
    file.upgrade().await;
    let account = file.one("SELECT account FROM import_account").await;
    Adopted { account: serde_json::from_str(&account).unwrap(), file }
}

impl Adopted {
    /// Rows, came, left, kept aside.
    fn line(&self, table: &str) -> [u64; 4] {
        let tables = self.account["tables"].as_array().unwrap();
        let line = tables.iter().find(|line| line["table"] == table).unwrap_or_else(|| panic!("no line of {table}"));
        ["rows", "came", "left", "kept_aside"].map(|name| line[name].as_u64().unwrap())
    }

    /// What is said of a row: "outcome column: reason".
    fn said(&self, id: &str) -> Vec<String> {
        let notes = self.account["notes"].as_array().unwrap();
        let of_row = notes.iter().filter(|note| note["ids"].as_array().unwrap().iter().any(|named| named == id));
        let text = |note: &Value| {
            let column = note["column"].as_str().map_or_else(String::new, |column| format!(" {column}"));
            format!("{}{column}: {}", note["outcome"].as_str().unwrap(), note["reason"].as_str().unwrap())
        };
        of_row.map(text).collect()
    }

    fn list(&self, name: &str) -> Vec<Value> {
        self.account[name].as_array().unwrap().clone()
    }

    async fn message(&self, content: &str) -> String {
        let sql = format!(
            "SELECT status || ' ' || created_at || ' ' || coalesce(hex(server_id), '-') FROM messages WHERE content = '{content}'"
        );
        self.file.one(&sql).await
    }

    /// The content that was kept for a row.
    async fn kept(&self, row: &str) -> Vec<String> {
        self.file.rows(&format!("SELECT content FROM import_report WHERE row_id = '{row}' ORDER BY pk")).await
    }
}

fn uuid(end: u32) -> String {
    format!("0198c0de-0000-7000-8000-{end:012x}")
}

fn hex(end: u32) -> String {
    uuid(end).replace('-', "").to_uppercase()
}

#[tokio::test]
async fn every_row_of_every_file_is_accounted_for() {
    for name in ADOPTED {
        let adopted = adopted(name).await;
        for line in adopted.list("tables") {
            let table = line["table"].as_str().unwrap();
            let [rows, came, left, aside] = adopted.line(table);
            assert_eq!(rows, came + left + aside, "{name} {table}");
            if SAME.contains(&table) {
                let now = format!("SELECT count(*) || '' FROM {table}");
                assert_eq!(adopted.file.one(&now).await, came.to_string(), "{name} {table}");
            }
        }
        assert_eq!(inspect(&adopted.file.db).await.unwrap(), FileState::Fieldpost(SCHEMA_VERSION), "{name}");
        assert_eq!(adopted.file.rows("PRAGMA integrity_check").await, ["ok"], "{name}");
    }
}

#[tokio::test]
async fn progress_goes_from_nothing_to_all_rows() {
    let file = fixture("odd.db").await;
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let heard = Arc::clone(&told);
    let transaction = file.db.begin().await.unwrap();
    upgrade_watched(&transaction, move |progress| heard.lock().unwrap().push(progress)).await.unwrap();
    transaction.commit().await.unwrap();
    let told = told.lock().unwrap();
    let total = told[0].total;
    assert!(total > 50);
    assert_eq!((told[0].done, told.last().unwrap().done), (0, total));
    assert!(told.iter().all(|progress| progress.total == total));
}

#[tokio::test]
async fn files_of_older_watermelons_come_over_alike() {
    let newest = adopted("v5.db").await;
    let rows = "SELECT coalesce(content, '-') || status || created_at || coalesce(hex(server_id), '-') FROM messages ORDER BY 1";
    for name in ["v5-0.25.db", "v5-0.27.db", "behind.db"] {
        let older = adopted(name).await;
        assert_eq!(older.file.rows(rows).await, newest.file.rows(rows).await, "{name}");
        assert_eq!(older.account["tables"], newest.account["tables"], "{name}");
        assert_eq!(older.account["notes"], newest.account["notes"], "{name}");
    }
}

#[tokio::test]
async fn a_file_that_says_less_than_it_has_is_what_it_has() {
    let adopted = adopted("behind.db").await;
    let said = "the file says that it has version 4, and has the tables of version 5";
    assert_eq!(adopted.list("file"), [said]);
    assert_eq!(adopted.line("messages")[1], 13);
}

#[tokio::test]
async fn what_a_migration_of_the_app_did_not_add_is_added_empty() {
    let adopted = adopted("ahead.db").await;
    let said = [
        "the file says that it has version 5, and lacks the tables of version 5",
        "the column treatments.vertical_extra_fields was missing",
        "the column treatments.booking_id was missing",
        "the table audit_log was missing",
    ];
    assert_eq!(adopted.list("file"), said);
    assert_eq!(adopted.line("treatments"), [3, 2, 1, 0]);
    assert_eq!(adopted.line("messages"), [0, 0, 0, 0]);
}

#[tokio::test]
async fn what_fieldpost_does_not_know_stays_under_another_name() {
    let adopted = adopted("own.db").await;
    let aside: Vec<_> = adopted
        .list("set_aside")
        .iter()
        .map(|one| format!("{} {} {}", one["name"], one["kept_as"], one["rows"]))
        .collect();
    let expected = [
        r#""conversations_v5" "watermelon_conversations_v5" 1"#,
        r#""messages_search" "watermelon_messages_search" 0"#,
        r#""people" "watermelon_people" 1"#,
        r#""visits" "watermelon_visits" 2"#,
        r#""messages (mood, stars)" "watermelon_messages" 1"#,
    ];
    assert_eq!(aside, expected);
    let file = &adopted.file;
    assert_eq!(file.rows("SELECT place FROM watermelon_visits ORDER BY id").await, ["Gate 3", "Crane"]);
    assert_eq!(file.rows("SELECT name FROM watermelon_people").await, ["Zoë"]);
    let mood = "SELECT id || ' ' || server_id || ' ' || mood || ' ' || stars FROM watermelon_messages";
    assert_eq!(file.rows(mood).await, [format!("msgSent000000001 {} cheerful 5.0", uuid(0xa1))]);
    let found = "SELECT rowid || '' FROM watermelon_messages_search WHERE watermelon_messages_search MATCH 'words'";
    assert_eq!(file.rows(found).await.len(), 1);

    let dropped: Vec<_> =
        adopted.list("dropped").iter().map(|one| format!("{} {}", one["kind"], one["name"])).collect();
    let expected = [
        r#""trigger" "messages_words""#,
        r#""view" "unread""#,
        r#""index" "visits__status""#,
        r#""index" "people__status""#,
        r#""index" "conversations_v5__status""#,
        r#""index" "outbox_pending""#,
    ];
    assert_eq!(dropped, expected);
    assert!(adopted.list("dropped")[1]["sql"].as_str().unwrap().contains("SELECT id FROM messages"));
}

#[tokio::test]
async fn other_versions_and_other_apps_are_told_apart() {
    for (name, version) in [("v3.db", 3), ("v6.db", 6)] {
        assert_eq!(inspect(&fixture(name).await.db).await.unwrap(), FileState::OtherWatermelon(version));
    }
    let other = fixture("v5.db").await;
    other.run("DROP TABLE treatments").await;
    assert_eq!(inspect(&other.db).await.unwrap(), FileState::OtherWatermelon(5));
}

#[tokio::test]
async fn times_in_any_unit_are_the_same_moment() {
    let adopted = adopted("odd.db").await;
    for (id, micros, said) in [
        ("msgSeconds000001", 1_700_000_003_000_000_u64, "it was in seconds"),
        ("msgMicros0000001", 1_700_000_000_000_000, "it was in microseconds"),
        ("msgIso0000000001", 1_700_000_000_005_000, "it was written as text"),
    ] {
        assert!(adopted.message(id).await.contains(&format!(" {micros} ")), "{id}: {}", adopted.message(id).await);
        assert!(adopted.said(id).contains(&format!("changed created_at: {said}")), "{id}");
    }
    // A number in quotes is that number, and what never was a time is none.
    assert!(adopted.message("msgTextTime00001").await.contains(" 1700000000006000 "));
    assert!(adopted.message("msgNoTime0000001").await.contains(" 0 "));
    let read = "SELECT last_read_at || '' FROM conversations WHERE medic_id IS NOT NULL";
    assert_eq!(adopted.file.one(read).await, "1700000000000000");
    let times = format!("SELECT created_at || ' ' || modified_at FROM treatments WHERE hex(id) = '{}'", hex(0x523));
    assert_eq!(adopted.file.one(&times).await, "1700000000000000 1700000002000000");
}

#[tokio::test]
async fn two_rows_of_one_message_are_one_and_a_difference_is_kept() {
    let adopted = adopted("odd.db").await;
    assert_eq!(adopted.said("msgTwin000000002"), ["kept_aside: another row is the same message of the server"]);
    assert_eq!(adopted.kept("msgTwin000000002").await, ["msgTwin000000002"]);
    assert_eq!(adopted.said("convTwin00000002"), ["left: another row is the same conversation of the server"]);
    assert_eq!(adopted.said("workerTwin000002"), ["kept_aside: another row is the same record"]);
}

#[tokio::test]
async fn two_queued_messages_under_one_key_are_both_sent() {
    let adopted = adopted("odd.db").await;
    let queued = "SELECT substr(payload ->> 'content', 1, 16) FROM outbox WHERE failed_code IS NULL ORDER BY position";
    let expected = [
        "msgQueued0000001",
        "msgQueued0000002",
        "msgQueued0000003",
        "msgQueuedTwin001",
        "🩹🩹🩹🩹🩹🩹🩹🩹🩹🩹🩹🩹🩹🩹🩹🩹",
        "from a short id",
    ];
    assert_eq!(adopted.file.rows(queued).await, expected);
    assert_eq!(adopted.said("msgQueuedTwin001"), ["changed idempotency_key: another message has the same key"]);
    assert_eq!(adopted.file.one("SELECT count(DISTINCT message_id) || ' ' || count(*) FROM outbox").await, "8 8");
}

#[tokio::test]
async fn what_cannot_be_sent_waits_for_its_author() {
    let adopted = adopted("odd.db").await;
    let failed = "SELECT failed_code FROM outbox WHERE failed_code IS NOT NULL ORDER BY position";
    assert_eq!(adopted.file.rows(failed).await, ["content_too_long", "content_empty"]);
    assert_eq!(adopted.said("msgQueuedEmoji02"), ["refused: it is longer than 5,000 characters"]);
    assert_eq!(adopted.said("msgQueuedNull001"), ["refused: it has no text, and could never be sent"]);
    assert_eq!(adopted.said("msgQueuedDel0001"), ["left: it was deleted in the app"]);
}

#[tokio::test]
async fn text_that_is_no_utf8_comes_over_as_far_as_it_can_be_read() {
    let adopted = adopted("odd.db").await;
    assert!(adopted.message("\u{fffd}(z").await.starts_with("sent "));
    assert_eq!(adopted.kept("msgBytes00000001").await, ["c3287a"]);
}

#[tokio::test]
async fn marks_that_watermelon_does_not_know_hide_nothing() {
    let adopted = adopted("odd.db").await;
    assert_eq!(adopted.message("msgOddStatus0001").await, format!("archived 1700000000009000 {}", hex(0xa8)));
    let said = "changed: the app had marked it as sent, without an id of the server";
    assert_eq!(adopted.said("msgNoServerId001"), [said]);
}

#[tokio::test]
async fn messages_of_a_conversation_that_is_not_here_are_kept_aside() {
    let adopted = adopted("odd.db").await;
    for id in ["msgHomeless00001", "msgInDeleted0001"] {
        let said = "kept_aside: its conversation is not in the file; the server sends it again with its conversation";
        assert_eq!(adopted.said(id), [said]);
    }
    let kept = "SELECT payload ->> 'id' FROM unreadable_rows ORDER BY pk";
    assert_eq!(adopted.file.rows(kept).await, ["msgHomeless00001", "msgInDeleted0001"]);
}

#[tokio::test]
async fn words_for_true_and_false_are_understood() {
    let adopted = adopted("odd.db").await;
    let flag =
        |n: u32| format!("SELECT is_riddor_reportable || '' FROM treatments WHERE hex(id) = '{}'", hex(0x510 + n));
    for (n, expected) in [(0, "1"), (1, "1"), (2, "-"), (3, "-"), (4, "1")] {
        assert_eq!(adopted.file.one(&flag(n)).await, expected, "{n}");
    }
    assert_eq!(adopted.kept("treatFlag000004x").await, ["yes"]);
}

#[tokio::test]
async fn values_that_a_record_cannot_hold_are_kept_beside_it() {
    let adopted = adopted("odd.db").await;
    let extra = |end: u32, table: &str| format!("SELECT extra FROM {table} WHERE hex(id) = '{}'", hex(end));
    let json = adopted.file.one(&extra(0x520, "treatments")).await;
    assert_eq!(json, r#"{"photo_uris":"not json","treatment_types":"[\"a\""}"#);
    assert_eq!(adopted.file.one(&extra(0x525, "treatments")).await, r#"{"booking_id":"B-17","medic_id":"user_7"}"#);
    assert_eq!(adopted.file.one(&extra(0x601, "near_misses")).await, r#"{"gps_lng":"somewhere"}"#);
    assert_eq!(
        adopted.file.one(&extra(0x701, "safety_checks")).await,
        r#"{"check_date":"31/01/2026","items":"{broken"}"#
    );
}

#[tokio::test]
async fn treatments_find_their_workers_by_any_of_their_names() {
    let adopted = adopted("odd.db").await;
    let worker = |end: u32| format!("SELECT hex(worker_id) FROM treatments WHERE hex(id) = '{}'", hex(end));
    assert_eq!(adopted.file.one(&worker(0x501)).await, hex(0x401), "by the server's id");
    assert_eq!(adopted.file.one(&worker(0x502)).await, hex(0x4ff), "one that is not here");
    assert_eq!(adopted.file.one(&worker(0x503)).await, "", "nobody");
    assert_eq!(adopted.kept("treatNobody00001").await, ["workerNowhere001"]);
    assert_eq!(adopted.file.one(&worker(0x504)).await, hex(0x402), "the twin");
    let queued = format!("SELECT fields ->> 'worker_id' FROM record_queue WHERE hex(record_id) = '{}'", hex(0x802));
    assert_eq!(adopted.file.one(&queued).await, uuid(0x801), "one that is on its way too");
}

#[tokio::test]
async fn the_queue_comes_over_in_order_with_what_it_had_lost() {
    let adopted = adopted("odd.db").await;
    let queue = "SELECT operation || ' ' || table_name || ' ' || lower(substr(hex(record_id), -3)) || ' ' || priority \
        FROM record_queue ORDER BY position";
    let queue: Vec<_> = adopted.file.rows(queue).await;
    for expected in [
        "create workers 801 0",
        "create treatments 802 0",
        "create treatments 803 1",
        "update treatments 803 1",
        "delete workers 4fe 1",
        "delete workers 406 1",
        "delete workers 405 1",
        "update workers 401 1",
    ] {
        assert!(queue.iter().any(|entry| entry == expected), "{expected}: {queue:?}");
    }
    assert_eq!(
        adopted.said("workerLost000001"),
        ["changed: the server does not have it, and the queue had no item for it; its create is queued"]
    );
    assert_eq!(
        adopted.said("workerDeleted001"),
        ["changed: it was deleted, and the queue had no item for it; its delete is queued"]
    );
    assert_eq!(adopted.said("workerDeleted002"), ["left: it was deleted in the app before the server had it"]);
    assert_eq!(adopted.said("workerChanged001"), Vec::<String>::new(), "nothing says what was changed");
    assert_eq!(adopted.said("workerMark000001"), Vec::<String>::new());
    // Created and deleted before either was sent.
    assert_eq!(adopted.said("treatPair0000001"), ["left: it was deleted in the app before the server had it"]);
    assert_eq!(adopted.said("queue00000000006"), ["left: its record was deleted in the app before the server had it"]);
    assert_eq!(adopted.said("queue00000000007"), ["left: its record was deleted in the app before the server had it"]);
    assert_eq!(adopted.said("queue00000000008"), ["kept_aside record_id: no such record is here"]);
    assert_eq!(adopted.said("queue00000000017"), ["left: the app had removed it"]);
    assert_eq!(adopted.kept("queue00000000012").await, ["{\"phone\":"]);
}

#[tokio::test]
async fn what_is_none_of_fieldposts_business_is_carried_and_named() {
    let adopted = adopted("odd.db").await;
    let carried: Vec<_> = adopted.list("carried").iter().map(ToString::to_string).collect();
    let expected = [
        r#"{"ids":["queue00000000016"],"items":1,"table":"incidents"}"#,
        r#"{"ids":["queue00000000014","queue00000000015"],"items":2,"table":"photo_uploads"}"#,
        r#"{"ids":["queue00000000013"],"items":1,"table":"workers"}"#,
    ];
    assert_eq!(carried, expected);
    let photo = "SELECT payload FROM carried_items WHERE id = 'queue00000000014'";
    let expected = format!(r#"{{"treatment_id":"{}","uri":"file:///photo.jpg"}}"#, uuid(0x802));
    assert_eq!(adopted.file.one(photo).await, expected);
    assert_eq!(
        adopted.list("local_storage"),
        ["__watermelon_last_pulled_at", "draft:convDirect000001", "messaging_last_synced_at"]
    );
}

#[tokio::test]
async fn only_what_was_not_uploaded_is_left_of_the_audit_log() {
    let adopted = adopted("odd.db").await;
    assert_eq!(adopted.line("audit_log"), [3, 2, 1, 0]);
    assert_eq!(adopted.said("audit00000000002"), ["left: it was uploaded"]);
}
