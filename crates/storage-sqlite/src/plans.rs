//! Every query that runs often finds its rows by an index, however long the history is. SQLite's own plan says so; a query
//! that begins to visit whole tables fails here, not on somebody's phone.

use crate::{
    SqliteStore, conversations, derived,
    hot::{Hot, Plan},
    messages, mutations, outbox, ranges, replica, search, section,
    sql::Tx,
};
use sea_orm::Value;

async fn plan(tx: &Tx, sql: &str) -> Vec<String> {
    // Unbound parameters are null, and the plan does not depend on them.
    let rows = tx.all(&format!("EXPLAIN QUERY PLAN {sql}"), Vec::<Value>::new()).await.unwrap();
    rows.iter().map(|row| row.get::<String>("detail").unwrap()).collect()
}

/// What a plan may visit whole: the set that was bound, what other steps of the same query have made, what the full-text
/// index finds, and the few messages that have changed since they were indexed.
const MADE_BY_THE_QUERY: [&str; 14] = [
    "json_each",
    "j",
    "CONSTANT",
    "told",
    "asked",
    "a",
    "run",
    "(subquery-",
    "n",
    "k",
    "thread",
    "ending",
    "messages_search",
    "messages_search_pending",
];

fn is_bounded(step: &str) -> bool {
    let Some(scanned) = step.strip_prefix("SCAN ") else { return true };
    let name = scanned.split_whitespace().next().unwrap_or_default();
    MADE_BY_THE_QUERY.iter().any(|made| name == *made || (made.ends_with('-') && name.starts_with(made)))
}

/// See `sql`: a bare parameter there makes SQLite prepare the statement again whenever it is bound.
fn assert_stays_prepared(hot: &Hot) {
    assert!(!hot.contains("LIMIT ?") && !hot.contains("OFFSET ?"), "{} is prepared again each time", hot.what);
}

/// Whether what is visited is the index itself, in its order: then nobody sorts.
fn is_of(step: &str, index: &str) -> bool {
    step.split_whitespace().any(|word| word == index)
}

/// What is wrong with a plan, in words.
async fn fault(tx: &Tx, hot: &Hot) -> Option<String> {
    assert_stays_prepared(hot);
    let plan = plan(tx, hot).await;
    let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
    let sound = match hot.plan {
        Plan::Bounded => plan.iter().all(|step| is_bounded(step)),
        Plan::Sorted(index) => plan.iter().any(|step| is_of(step, index)),
        Plan::Ordered(index) => plan.iter().any(|step| is_of(step, index)) && !sorts,
    };
    (!sound).then(|| format!("{} is not {:?}: {plan:#?}", hot.what, hot.plan))
}

/// One line for each module that has any. A list that is not here is one that nobody uses, which the lints refuse.
fn hot() -> Vec<&'static Hot> {
    [
        conversations::hot(),
        derived::hot(),
        messages::hot(),
        mutations::covering::hot(),
        mutations::echo::hot(),
        mutations::overlay::hot(),
        mutations::settings::hot(),
        outbox::batch::hot(),
        outbox::change::hot(),
        outbox::mark_read::hot(),
        outbox::send::hot(),
        outbox::settle::acks::hot(),
        outbox::settle::hot(),
        ranges::hot(),
        replica::apply::excluded::hot(),
        replica::apply::conversations::hot(),
        replica::apply::messages::hot(),
        replica::apply::news::hot(),
        replica::apply::people::hot(),
        replica::apply::reactions::hot(),
        replica::apply::tombstones::hot(),
        replica::bootstrap::hot(),
        replica::context::hot(),
        replica::digest::hot(),
        replica::history::hot(),
        replica::marks::hot(),
        replica::position::hot(),
        replica::state::hot(),
        search::erase::hot(),
        search::hits::hot(),
        replica::trim::hot(),
        search::hot(),
        search::index::hot(),
        section::hot(),
    ]
    .concat()
}

#[tokio::test]
async fn hot_statements_find_their_rows_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    let read = store.db.read("plan").await.unwrap();
    let mut faults = Vec::new();
    for hot in hot() {
        faults.extend(fault(read.tx(), hot).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn what_a_page_says_of_conversations_is_written_to_those_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    let read = store.db.read("plan").await.unwrap();
    let plan = plan(read.tx(), &derived::TELL.sql(1)).await;
    assert!(plan.iter().all(|step| is_bounded(step)), "{plan:#?}");
}

#[tokio::test]
async fn counting_what_is_new_reads_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    let read = store.db.read("plan").await.unwrap();
    let plan = plan(read.tx(), &derived::ADD_NEW).await;
    assert!(plan.iter().any(|step| step.contains("SEARCH m USING INTEGER PRIMARY KEY (rowid>?)")), "{plan:#?}");
}
