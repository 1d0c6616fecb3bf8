//! Every query that runs often finds its rows by an index, however long the history is. SQLite's own plan says so; a query
//! that begins to visit whole tables fails here, not on somebody's phone.

use crate::{SqliteStore, conversations, derived, messages, outbox, overlay, ranges, replica, search, sql::Tx};
use sea_orm::Value;

async fn plan(tx: &Tx, sql: &str) -> Vec<String> {
    // Unbound parameters are null, and the plan does not depend on them.
    let rows = tx.all(&format!("EXPLAIN QUERY PLAN {sql}"), Vec::<Value>::new()).await.unwrap();
    rows.iter().map(|row| row.get::<String>(3).unwrap()).collect()
}

/// What a plan may visit whole: the set that was bound, and what other steps of the same query have made.
const MADE_BY_THE_QUERY: [&str; 11] =
    ["json_each", "j", "CONSTANT", "told", "asked", "a", "run", "(subquery-", "k", "thread", "ending"];

fn is_bounded(step: &str) -> bool {
    let Some(scanned) = step.strip_prefix("SCAN ") else { return true };
    let name = scanned.split_whitespace().next().unwrap_or_default();
    MADE_BY_THE_QUERY.iter().any(|made| name == *made || (made.ends_with('-') && name.starts_with(made)))
}

/// See `sql`: a bare parameter there makes SQLite prepare the statement again whenever it is bound.
fn assert_stays_prepared(sql: &str) {
    assert!(!sql.contains("LIMIT ?") && !sql.contains("OFFSET ?"), "prepared again each time: {sql}");
}

async fn assert_bounded(tx: &Tx, what: &str, sql: &str) {
    assert_stays_prepared(sql);
    let plan = plan(tx, sql).await;
    assert!(plan.iter().all(|step| is_bounded(step)), "{what} visits a whole table: {plan:#?}");
}

async fn store() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn hot_queries_visit_no_whole_table() {
    let (_folder, store) = store().await;
    let read = store.db.read("plan").await.unwrap();
    let tx = read.tx();
    let (conversation, message, window) = (conversations::one_sql(), messages::one_sql(), messages::window_sql());
    let stand = outbox::mark_read::stand_sql();
    let (sent, unsettled) = (outbox::send::sent_sql(), derived::unsettled_sql());
    let (here, known) = (replica::apply::news::here_sql(), replica::apply::conversations::known_sql());
    let (changing, overlaid) = (outbox::change::find_sql(), overlay::waiting_sql());
    let digest = replica::digest::kept_sql();
    let hot = [
        ("one conversation", conversation.as_str()),
        ("one message", &message),
        ("a window", &window),
        ("what a send records", outbox::send::RECORD),
        ("the echo of a send", outbox::send::ECHO_OF_NEW),
        ("what was sent", &sent),
        ("a message to be changed", &changing),
        ("what a change replaces", outbox::change::REPLACE),
        ("the changes of messages", &overlaid),
        ("changes taken off messages", overlay::LIFT),
        ("how far a thread is read", &stand),
        ("the last seq", ranges::LAST_SEQ),
        ("a range that grows", ranges::EXTEND_UP),
        ("what is missing", ranges::MISSING),
        ("a range that is covered", ranges::COVER),
        ("what could change", &unsettled),
        ("what is new", derived::NOTE_NEW),
        ("what is here", &here),
        ("dead letters that have arrived", replica::apply::messages::HAS_ARRIVED),
        ("which rows are known", &known),
        ("what is told again", replica::apply::conversations::RETELL),
        ("which ids are their own again", replica::apply::conversations::OWN_AGAIN),
        ("counting again", derived::RECOUNT),
        ("the unread count", derived::SHOWN),
        ("the newest message", derived::NEWEST),
        ("the newest message of a send", derived::NEWEST_OF_LANE),
        ("whether many messages leave", search::MANY),
        ("what leaves for the server", outbox::batch::LEAVE),
        ("what never arrived", outbox::batch::WITHDRAW),
        ("what is checked next", replica::state::NEXT_CHECK),
        ("what did not come", replica::history::DROP_ABSENT),
        ("marks that the server has forgotten", replica::marks::FORGOTTEN),
        ("what the server counts of what was read", replica::marks::DISCOUNT),
        ("messages in the place of others", replica::marks::OTHERS),
        ("what awaits its answer below a told range", replica::bootstrap::ECHO_AGAIN),
        ("what lies below a told range", replica::bootstrap::DROP_BELOW),
        ("the digest that is kept", &digest),
    ];
    for (what, sql) in hot {
        assert_bounded(tx, what, sql).await;
    }
}

#[tokio::test]
async fn lists_are_read_in_the_order_of_an_index() {
    let (_folder, store) = store().await;
    let read = store.db.read("plan").await.unwrap();
    let tx = read.tx();
    let list = conversations::list_sql();
    let of_index = [
        (list.as_str(), "conversations_by_activity"),
        (&outbox::batch::pending_sql(), "outbox_pending"),
        (conversations::TOTAL_UNREAD, "conversations_unread"),
        (replica::apply::conversations::LOCAL, "conversations_local"),
    ];
    for (sql, index) in of_index {
        assert_stays_prepared(sql);
        let plan = plan(tx, sql).await;
        assert!(plan.iter().any(|step| step.contains(index)), "not by {index}: {plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")) || index == "conversations_local", "{plan:#?}");
    }
    let missing = plan(tx, replica::state::MISSING).await;
    assert!(missing.iter().any(|step| step.contains("conversations_missing")), "{missing:#?}");
}

#[tokio::test]
async fn counting_what_is_new_reads_only_what_is_new() {
    let (_folder, store) = store().await;
    let read = store.db.read("plan").await.unwrap();
    let plan = plan(read.tx(), derived::ADD_NEW).await;
    assert!(plan.iter().any(|step| step.contains("SEARCH m USING INTEGER PRIMARY KEY (rowid>?)")), "{plan:#?}");
}
