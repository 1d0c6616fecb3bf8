//! Files of the old app, row by row, before and after. The fixtures were written by WatermelonDB itself.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step of a test that fails has to fail the test")]

mod file;

use fieldpost_migrations::{FileState, SCHEMA_VERSION, inspect, upgrade};
use file::{empty, fixture};
use sea_orm_migration::sea_orm::TransactionTrait;

const DIRECT: &str = "0198C0DE0000700080000000000000C1";

/// SQL for the text of an id's last digits, which the fixtures number.
fn short(column: &str) -> String {
    format!("lower(substr(hex({column}), -2))")
}

#[tokio::test]
async fn the_fixtures_are_what_they_say() {
    assert_eq!(inspect(&fixture("v4.db").await.db).await.unwrap(), FileState::Watermelon(4));
    assert_eq!(inspect(&fixture("v5.db").await.db).await.unwrap(), FileState::Watermelon(5));
    assert_eq!(inspect(&empty().await.db).await.unwrap(), FileState::Empty);
}

#[tokio::test]
async fn what_the_app_kept_beside_its_tables_stays() {
    let file = fixture("v5.db").await;
    let before = file.dump("local_storage").await;
    assert_eq!(before.len(), 1);
    file.upgrade().await;
    assert_eq!(file.dump("local_storage").await, before);
}

#[tokio::test]
async fn every_way_leads_to_the_same_tables() {
    let schema = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1";
    let normal = |rows: Vec<String>| -> Vec<String> {
        let plain =
            |row: &String| row.to_lowercase().replace("if not exists ", "").split_whitespace().collect::<String>();
        rows.iter().map(plain).collect()
    };
    let (fresh, v4, v5) = (empty().await, fixture("v4.db").await, fixture("v5.db").await);
    for file in [&fresh, &v4, &v5] {
        file.upgrade().await;
        assert_eq!(
            file.one("SELECT CAST(user_version AS TEXT) FROM pragma_user_version").await,
            SCHEMA_VERSION.to_string()
        );
        assert_eq!(inspect(&file.db).await.unwrap(), FileState::Fieldpost(SCHEMA_VERSION));
    }
    let expected = normal(fresh.rows(schema).await);
    assert_eq!(normal(v4.rows(schema).await), expected);
    assert_eq!(normal(v5.rows(schema).await), expected);
}

#[tokio::test]
async fn conversations_get_the_servers_id_and_keep_everything() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    // Of seven rows one was deleted, and two were the same conversation.
    assert_eq!(file.one("SELECT CAST(count(*) AS TEXT) FROM conversations").await, "5");
    let direct = file
        .one(&format!(
            "SELECT hex(server_id) || ' ' || type || ' ' || participant_name || ' ' || unread_count || ' ' || \
                last_message_at || ' ' || server_preview || ' ' || last_read_at || ' ' || created_at || ' ' || version \
             FROM conversations WHERE hex(id) = '{}'",
            DIRECT
        ))
        .await;
    let expected =
        format!("{} direct Ada Moss 2 1700000000188000 Zweite 🩹 1700000000133000 1700000000123000 -1", DIRECT);
    assert_eq!(direct, expected);
}

#[tokio::test]
async fn a_conversation_that_the_server_never_had_gets_an_id_and_its_opening_is_queued_first() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let local = "SELECT participant_name FROM conversations WHERE server_id IS NULL AND medic_id IS NOT NULL";
    assert_eq!(file.rows(local).await, ["Bo Lind"]);
    let opens = "SELECT kind || ' ' || coalesce(payload ->> 'medic_id', payload ->> 'subject', '') FROM outbox \
        WHERE kind <> 'send_message' ORDER BY position";
    let expected = ["open_direct 0198c0de-0000-7000-8000-000000000303", "open_broadcast Everybody", "open_direct "];
    assert_eq!(file.rows(opens).await, expected);
    let ahead = "SELECT CAST((SELECT max(position) FROM outbox WHERE kind <> 'send_message') < \
        (SELECT min(position) FROM outbox WHERE kind = 'send_message') AS TEXT)";
    assert_eq!(file.one(ahead).await, "1");
}

#[tokio::test]
async fn acknowledged_messages_get_the_servers_id_and_stand_in_one_conversation() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    // Defect 10: they named it by its local id, by the server's, and by a second local id.
    let sql = format!(
        "SELECT {} || ' ' || status || ' ' || coalesce(sender_name, '-') || ' ' || coalesce(content, '-') || ' ' || created_at \
         FROM messages WHERE server_id = id AND hex(conversation_id) = '{}' ORDER BY id",
        short("id"),
        DIRECT
    );
    let expected = [
        "a1 sent Ada Moss Erste 1700000000133000",
        "a2 delivered Ada Moss Zweite 🩹 1700000000173000",
        "a3 sent - - 1700000000143000",
        "a5 sent - arrived 1700000000153000",
    ];
    assert_eq!(file.rows(&sql).await, expected);
}

#[tokio::test]
async fn times_out_of_range_move_to_the_edge() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let sql = "SELECT created_at || ' ' || updated_at FROM messages WHERE content LIKE 'Übung%'";
    assert_eq!(file.one(sql).await, "-62135596800000000 253402300799999000");
}

#[tokio::test]
async fn queued_messages_stand_in_the_outbox_in_the_order_of_writing() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let sql = "SELECT (payload ->> 'content') || ' ' || recorded_at FROM outbox \
        WHERE kind = 'send_message' AND failed_code IS NULL ORDER BY position";
    let expected = [
        "on my way 1700000000183000",
        "trimmed 1700000000184000",
        "third 1699999999123000",
        "שלום 👩\u{200d}👩\u{200d}👧\u{200d}👦 1700000000185000",
        "from another person 1700000000190000",
    ];
    assert_eq!(file.rows(sql).await, expected);
    // Each with its row at the end of its thread.
    let placed = "SELECT CAST(count(*) AS TEXT) FROM outbox AS o JOIN messages AS m \
        ON m.id = o.message_id AND m.position = o.position AND m.conversation_id = o.conversation_id \
            AND m.status = 'queued' AND m.server_id IS NULL";
    assert_eq!(file.one(placed).await, "8");
}

#[tokio::test]
async fn a_queued_message_keeps_its_idempotency_key_if_that_is_a_uuid() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let keys = format!("SELECT {} FROM outbox WHERE payload ->> 'content' = 'on my way'", short("message_id"));
    assert_eq!(file.one(&keys).await, "b1");
    let made = "SELECT substr(hex(message_id), 13, 1) FROM outbox WHERE payload ->> 'content' IN ('trimmed', 'third')";
    assert_eq!(file.rows(made).await, ["7", "7"], "the others get a new UUIDv7");
}

#[tokio::test]
async fn what_could_never_be_sent_becomes_a_dead_letter() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let sql = format!(
        "SELECT {} || ' ' || failed_code FROM outbox WHERE failed_code IS NOT NULL ORDER BY position",
        short("message_id")
    );
    assert_eq!(file.rows(&sql).await, ["b6 content_empty", "b7 content_too_long", "b8 not_found"]);
}

#[tokio::test]
async fn a_queued_message_that_had_arrived_is_not_sent_again() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    // By its whole id: one of those that the upgrade makes may end with the same digits.
    let twin = format!("SELECT CAST(count(*) AS TEXT) FROM outbox WHERE hex(message_id) = '{}A1'", &DIRECT[..30]);
    assert_eq!(file.one(&twin).await, "0");
}

#[tokio::test]
async fn deleted_rows_are_left_out_and_homeless_ones_kept_aside() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let gone = "SELECT CAST(count(*) AS TEXT) FROM messages WHERE content IN ('gone', 'never mind')";
    assert_eq!(file.one(gone).await, "0");
    assert_eq!(file.rows("SELECT payload ->> 'content' FROM unreadable_rows").await, ["nobody knows where"]);
}

#[tokio::test]
async fn the_text_of_upgraded_messages_waits_to_be_indexed() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    assert_eq!(
        file.rows("SELECT rowid || '' FROM messages_search WHERE messages_search MATCH 'zweite'").await.len(),
        0
    );
    assert_eq!(file.one("SELECT indexed_to || '' FROM messages_search_state").await, "0");
}

#[tokio::test]
async fn an_upgrade_that_is_cut_off_leaves_the_old_file() {
    let file = fixture("v5.db").await;
    let tables = ["conversations", "messages", "treatments", "local_storage"];
    let before = file.dumps(&tables).await;
    let transaction = file.db.begin().await.unwrap();
    upgrade(&transaction).await.unwrap();
    drop(transaction);
    assert_eq!(inspect(&file.db).await.unwrap(), FileState::Watermelon(5));
    assert_eq!(file.dumps(&tables).await, before);
    file.upgrade().await;
    assert_eq!(inspect(&file.db).await.unwrap(), FileState::Fieldpost(SCHEMA_VERSION));
}

#[tokio::test]
async fn upgrading_twice_changes_nothing() {
    let file = fixture("v5.db").await;
    file.upgrade().await;
    let tables = ["conversations", "messages", "outbox", "seaql_migrations"];
    let before = [file.rows("SELECT quote(id) FROM conversations").await, file.dump(tables[2]).await];
    file.upgrade().await;
    assert_eq!([file.rows("SELECT quote(id) FROM conversations").await, file.dump(tables[2]).await], before);
}

#[tokio::test]
async fn files_that_are_not_ours_are_told_apart() {
    let newer = empty().await;
    newer.upgrade().await;
    newer.run(&format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1)).await;
    assert_eq!(inspect(&newer.db).await.unwrap(), FileState::Newer(SCHEMA_VERSION + 1));

    let later = empty().await;
    later.upgrade().await;
    later.run("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m0007_later', 0)").await;
    assert!(matches!(inspect(&later.db).await.unwrap(), FileState::Newer(_)));

    let old = fixture("v4.db").await;
    old.run("PRAGMA user_version = 3").await;
    assert_eq!(inspect(&old.db).await.unwrap(), FileState::OtherWatermelon(3));

    let other = empty().await;
    other.run("CREATE TABLE recipes (id INTEGER PRIMARY KEY)").await;
    assert_eq!(inspect(&other.db).await.unwrap(), FileState::Foreign(0));
}

#[tokio::test]
async fn what_a_row_said_it_had_omitted_moves_out_of_its_unknown_fields() {
    let file = empty().await;
    file.upgrade_to(8).await;
    let row = |id: u8, extra: &str| {
        format!(
            "INSERT INTO messages (id, conversation_id, sender_id, message_type, status, created_at, updated_at, version, extra) \
             VALUES (x'{id:032x}', x'01', x'02', 'text', 'sent', 0, 0, 1, {extra})"
        )
    };
    let omitted = r#"{"reason":"metadata_too_large","bytes":34}"#;
    file.run(&row(1, &format!("'{{\"omitted\":{omitted}}}'"))).await;
    file.run(&row(2, &format!("'{{\"omitted\":{omitted},\"stars\":5}}'"))).await;
    file.run(&row(3, "'{\"omitted\":7,\"stars\":5}'")).await;
    file.run(&row(4, "NULL")).await;

    file.upgrade().await;

    let moved =
        file.rows("SELECT coalesce(omitted, '-') || ' ' || coalesce(extra, '-') FROM messages ORDER BY id").await;
    let expected = [
        format!("{omitted} -"),
        format!("{omitted} {{\"stars\":5}}"),
        "- {\"omitted\":7,\"stars\":5}".to_owned(),
        "- -".to_owned(),
    ];
    assert_eq!(moved, expected);
}

#[tokio::test]
async fn what_waits_in_the_outbox_says_in_columns_what_its_kind_means() {
    let file = empty().await;
    file.upgrade_to(9).await;
    for (id, kind) in ["send_message", "open_direct", "open_broadcast", "mark_read"].iter().enumerate() {
        file.run(&format!(
            "INSERT INTO outbox (id, kind, conversation_id, payload, wire_size, recorded_at) \
             VALUES (x'{id:032x}', '{kind}', x'01', '{{}}', 512, 0)"
        ))
        .await;
    }

    file.upgrade().await;

    let columns = "kind || ' ' || opens || expires || keeps || ' ' || coalesce(slot, '-')";
    let policy = file.rows(&format!("SELECT {columns} FROM outbox ORDER BY position")).await;
    assert_eq!(policy, ["send_message 011 -", "open_direct 101 -", "open_broadcast 101 -", "mark_read 000 mark_read"]);
}

#[tokio::test]
async fn unread_messages_and_waiting_mutations_of_an_old_file_are_counted() {
    let file = empty().await;
    file.upgrade_to(9).await;
    for (id, unread) in [3, 0, 4].iter().enumerate() {
        file.run(&format!(
            "INSERT INTO conversations (id, org_id, type, created_by, created_at, updated_at, unread_count, version) \
             VALUES (x'{id:032x}', x'01', 'direct', x'02', 0, 0, {unread}, 1)"
        ))
        .await;
    }
    for (id, failed) in ["NULL", "'forbidden'", "NULL"].iter().enumerate() {
        file.run(&format!(
            "INSERT INTO outbox (id, kind, conversation_id, payload, wire_size, recorded_at, failed_code) \
             VALUES (x'{id:032x}', 'send_message', x'01', '{{}}', 512, 0, {failed})"
        ))
        .await;
    }

    file.upgrade().await;

    assert_eq!(file.one("SELECT CAST(messages AS TEXT) FROM unread_total").await, "7");
    assert_eq!(file.one("SELECT pending || ' ' || failed FROM outbox_counts").await, "2 1");
}

/// The state of syncing after an upgrade of a file whose version 9 had written this.
async fn sync_state_after(columns: &str) -> String {
    let file = empty().await;
    file.upgrade_to(9).await;
    file.run(&format!("UPDATE sync_state SET generation = 3, epoch = 1, me_id = x'07', {columns}")).await;

    file.upgrade().await;

    let kept = "SELECT generation || epoch || hex(me_id) FROM sync_state";
    assert_eq!(file.rows(kept).await, ["3107"], "the rest stays as it was, in one row");
    file.one("SELECT phase || ' ' || coalesce(after, '-') || ' ' || done || ' ' || coalesce(total, '-') || ' ' || run_open FROM sync_state")
        .await
}

#[tokio::test]
async fn a_run_of_pages_that_was_open_stays_open_and_is_no_progress_of_a_bootstrap() {
    let open = sync_state_after("phase = 'following', cursor = 'c', done = 4").await;
    assert_eq!(open, "following - 0 - 1");
    let at_rest = sync_state_after("phase = 'following', cursor = 'c'").await;
    assert_eq!(at_rest, "following - 0 - 0");
}

#[tokio::test]
async fn a_bootstrap_goes_on_where_it_was_and_a_first_screen_is_one() {
    let under_way = sync_state_after("phase = 'bootstrapping', after = 'next', done = 4, total = 9").await;
    assert_eq!(under_way, "bootstrapping next 4 9 0");
    let begun = sync_state_after("phase = 'bootstrapping'").await;
    assert_eq!(begun, "bootstrapping - 0 - 0");
    let first_screen = sync_state_after("phase = 'bootstrapping', after = 'glimpse', done = 4, total = 9").await;
    assert_eq!(first_screen, "first_screen - 0 - 0");
}
