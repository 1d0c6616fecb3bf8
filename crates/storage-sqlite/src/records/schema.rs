//! The declarations of the clinical tables fit the tables that the migrations make.

use super::{kind, tables::Tables};
use crate::SqliteStore;
use fieldpost_domain::records::clinical;
use fieldpost_storage::records::Records;

#[tokio::test]
async fn clinical_declarations_fit_the_migrated_tables() {
    // Given
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap();
    let read = store.db.read("schema").await.unwrap();
    let migrated = Tables::read(read.tx()).await.unwrap();

    // Then
    for declared in clinical::tables() {
        let table = &migrated.0[&declared.name];
        let columns: Vec<_> = declared.columns.iter().map(|column| (&column.name, &column.kind)).collect();
        let mut sorted = columns.clone();
        sorted.sort_by_key(|(name, _)| (*name).clone());
        assert_eq!(table.columns.iter().collect::<Vec<_>>(), sorted, "{}", declared.name);
        for (name, kind) in columns {
            let sql = "SELECT type FROM pragma_table_info(?) WHERE name = ?";
            let values = vec![crate::sql::text(table.physical()), crate::sql::text(name.as_str())];
            let stored: String = read.tx().value(sql, values).await.unwrap();
            assert_eq!(stored, kind::definition(kind), "{}.{name}", declared.name);
        }
    }
    read.finish(Ok(())).await.unwrap();
    store.declare(&clinical::tables()).await.unwrap();
}
