//! Every entity says what the migrated schema says, and every table has an entity.

use super::{
    access, account, aliases, audit_log, carried_items, conversation_settings, conversations, drafts, import_account,
    import_report, known_changes, messages, messages_search_entries, messages_search_pending, messages_search_state,
    near_misses, outbox, outbox_counts, people, reactions, read_markers, record_aliases, record_clocks, record_columns,
    record_conflicts, record_counts, record_queue, record_sync, record_tables, record_tombstones, safety_checks,
    session, sync_state, tombstones, treatments, unread_total, unreadable_rows, workers,
};
use crate::{SqliteStore, sql::Tx};
use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    sea_query::{ColumnType, StringLen},
};
use std::collections::BTreeSet;

/// A column, as both sides tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    name: String,
    kind: &'static str,
    null: bool,
    key: bool,
    /// No two rows have the same.
    unique: bool,
    /// An index begins with it.
    indexed: bool,
}

/// A table and its columns.
type Table = (String, BTreeSet<Column>);

fn of_entity<E: EntityTrait>(_: E) -> Table {
    let keys: Vec<_> = E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned()).collect();
    let columns = E::Column::iter().map(|column| {
        let definition = column.def();
        let name = column.as_str().to_owned();
        let key = keys.contains(&name);
        Column {
            key,
            kind: kind(definition.get_column_type()),
            null: definition.is_null(),
            unique: definition.is_unique(),
            indexed: format!("{definition:?}").contains("indexed: true"),
            name,
        }
    });
    (E::default().table_name().to_owned(), columns.collect())
}

fn kind(column: &ColumnType) -> &'static str {
    match column {
        ColumnType::BigInteger | ColumnType::Boolean => "INTEGER",
        ColumnType::String(_) | ColumnType::Text => "TEXT",
        ColumnType::Double => "REAL",
        ColumnType::VarBinary(StringLen::None) | ColumnType::Blob => "BLOB",
        other => panic!("no STRICT table has {other:?}"),
    }
}

fn entities() -> Vec<Table> {
    vec![
        of_entity(access::Entity),
        of_entity(account::Entity),
        of_entity(aliases::Entity),
        of_entity(audit_log::Entity),
        of_entity(carried_items::Entity),
        of_entity(conversation_settings::Entity),
        of_entity(conversations::Entity),
        of_entity(drafts::Entity),
        of_entity(import_account::Entity),
        of_entity(import_report::Entity),
        of_entity(known_changes::Entity),
        of_entity(messages::Entity),
        of_entity(messages_search_entries::Entity),
        of_entity(messages_search_pending::Entity),
        of_entity(messages_search_state::Entity),
        of_entity(near_misses::Entity),
        of_entity(outbox::Entity),
        of_entity(outbox_counts::Entity),
        of_entity(people::Entity),
        of_entity(reactions::Entity),
        of_entity(read_markers::Entity),
        of_entity(record_aliases::Entity),
        of_entity(record_clocks::Entity),
        of_entity(record_columns::Entity),
        of_entity(record_conflicts::Entity),
        of_entity(record_counts::Entity),
        of_entity(record_queue::Entity),
        of_entity(record_sync::Entity),
        of_entity(record_tables::Entity),
        of_entity(record_tombstones::Entity),
        of_entity(safety_checks::Entity),
        of_entity(session::Entity),
        of_entity(sync_state::Entity),
        of_entity(tombstones::Entity),
        of_entity(treatments::Entity),
        of_entity(unread_total::Entity),
        of_entity(unreadable_rows::Entity),
        of_entity(workers::Entity),
    ]
}

/// The tables of the engine are STRICT; those of the old app, of the migrations and of the full-text index are not.
async fn tables(tx: &Tx) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_list WHERE strict AND schema = 'main' ORDER BY name";
    tx.all(sql, vec![]).await.unwrap().iter().map(|row| row.only().unwrap()).collect()
}

async fn of_schema(tx: &Tx, table: String) -> Table {
    let text = |value: &str| vec![crate::sql::text(value)];
    let indexed =
        "SELECT i.\"unique\", c.name, (SELECT count(*) FROM pragma_index_info(i.name)) AS columns FROM pragma_index_list(?) AS i
        JOIN pragma_index_info(i.name) AS c ON c.seqno = 0 WHERE i.origin <> 'pk' AND c.name IS NOT NULL";
    let mut first = BTreeSet::new();
    for row in tx.all(indexed, text(&table)).await.unwrap() {
        let unique = row.is("unique").unwrap() && row.count("columns").unwrap() == 1;
        first.insert((row.get::<String>("name").unwrap(), unique));
    }
    let columns = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?)";
    let columns = tx.all(columns, text(&table)).await.unwrap().into_iter().map(|row| {
        let name: String = row.get("name").unwrap();
        let key = row.is("pk").unwrap();
        Column {
            kind: match row.get::<String>("type").unwrap().as_str() {
                "INTEGER" => "INTEGER",
                "REAL" => "REAL",
                "TEXT" => "TEXT",
                _ => "BLOB",
            },
            null: !row.is("notnull").unwrap() && !key,
            key,
            unique: first.contains(&(name.clone(), true)),
            indexed: first.contains(&(name.clone(), false)),
            name,
        }
    });
    let columns = columns.collect();
    (table, columns)
}

#[tokio::test]
async fn every_table_has_an_entity_that_says_the_same() {
    // Given
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    let read = store.db.read("schema").await.unwrap();

    // When
    let mut migrated = Vec::new();
    for table in tables(read.tx()).await {
        migrated.push(of_schema(read.tx(), table).await);
    }

    // Then
    let entities = entities();
    let names = |tables: &[Table]| tables.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&entities), names(&migrated));
    for ((name, entity), (_, schema)) in entities.iter().zip(&migrated) {
        let odd: Vec<_> = entity.symmetric_difference(schema).collect();
        assert!(odd.is_empty(), "{name}: the entity and the schema differ in {odd:#?}");
    }
}
