//! What is asked often finds its rows by an index.

use super::{
    entry, query,
    tables::Tables,
    waiting::{firsts, is_due, sendable},
};
use crate::{SqliteStore, sql::Tx};
use fieldpost_domain::records::{ColumnName, Comparison, RecordQuery, TableName, clinical};
use fieldpost_storage::{conformance::build, records::Records};
use sea_orm::sea_query::{QueryStatementWriter, SqliteQueryBuilder};
use uuid::Uuid;

async fn plan(tx: &Tx, statement: &impl QueryStatementWriter) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {}", statement.to_string(SqliteQueryBuilder));
    let rows = tx.all(&sql, vec![]).await.unwrap();
    rows.iter().map(|row| row.get::<String>("detail").unwrap()).collect::<Vec<_>>().join("\n")
}

async fn declared() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    store.declare(&clinical::tables()).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn a_batch_is_read_in_the_order_of_the_queue_and_looks_at_each_record_by_itself() {
    let (_folder, store) = declared().await;
    let read = store.db.read("plan").await.unwrap();
    let tables = Tables::read(read.tx()).await.unwrap();
    let mut batch = sendable(&tables, Uuid::nil(), Some(build::at(1)));
    batch.order_by((super::sql::name("q"), super::sql::name("priority")), sea_orm::sea_query::Order::Asc);
    batch.order_by((super::sql::name("q"), super::sql::name("position")), sea_orm::sea_query::Order::Asc);
    let plan = plan(read.tx(), &batch).await;
    assert!(plan.contains("SCAN q USING INDEX record_queue_by_priority"), "{plan}");
    assert!(
        plan.contains("SEARCH e USING INDEX record_queue_by_record (table_name=? AND record_id=? AND position<?)"),
        "{plan}"
    );
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[tokio::test]
async fn what_becomes_due_is_found_by_its_time() {
    let (_folder, store) = declared().await;
    let read = store.db.read("plan").await.unwrap();
    let tables = Tables::read(read.tx()).await.unwrap();
    let mut due = firsts(&tables, Uuid::nil());
    due.and_where(is_due("q", Some(build::at(1))));
    let plan = plan(read.tx(), &due).await;
    assert!(plan.contains("SEARCH e USING COVERING INDEX record_queue_by_record"), "{plan}");
}

#[tokio::test]
async fn a_list_of_records_is_read_in_its_order_and_filtered_by_an_index() {
    let (_folder, store) = declared().await;
    let read = store.db.read("plan").await.unwrap();
    let tables = Tables::read(read.tx()).await.unwrap();
    let name = TableName::new("treatments").unwrap();
    let (table, declaration) = tables.get(&name).unwrap();
    let newest = RecordQuery::new(name.clone()).limit(50);
    let newest = query::select(read.tx(), table, declaration, &newest).await.unwrap();
    let newest = plan(read.tx(), &newest).await;
    assert!(newest.contains("USING INDEX treatments.created_at") && !newest.contains("TEMP B-TREE"), "{newest}");
    assert!(newest.contains("SEARCH record_queue USING"), "{newest}");
    let worker = Uuid::from_u128(7).to_string();
    let of_worker = RecordQuery::new(name).filter(ColumnName::new("worker_id").unwrap(), Comparison::Is, worker);
    let of_worker = query::select(read.tx(), table, declaration, &of_worker).await.unwrap();
    let of_worker = plan(read.tx(), &of_worker).await;
    assert!(of_worker.contains("USING INDEX treatments.worker_id (worker_id=?)"), "{of_worker}");
}

#[tokio::test]
async fn the_changes_of_records_and_changes_by_their_ids_are_found_by_an_index() {
    let (_folder, store) = declared().await;
    let read = store.db.read("plan").await.unwrap();
    for (query, index) in [
        (entry::query_of_records("treatments", &crate::sql::IdSet::of([Uuid::nil()])), "record_queue_by_record"),
        (entry::query_by_ids([]), "sqlite_autoindex_record_queue_1"),
    ] {
        let plan = plan(read.tx(), &query).await;
        assert!(plan.contains(index), "{plan}");
    }
}
