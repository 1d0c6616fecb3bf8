//! The role that knows people.

use crate::{
    SqliteStore,
    rows::person::{self, PERSON},
    sql::id,
};
use async_trait::async_trait;
use fieldpost_domain::{Person, PersonId};
use fieldpost_storage::{People, StorageResult};

#[async_trait]
impl People for SqliteStore {
    async fn people(&self) -> StorageResult<Vec<Person>> {
        let read = self.db.look("people")?;
        let sql = format!("SELECT {PERSON} FROM people AS p WHERE NOT removed ORDER BY first_name, last_name, id");
        let rows = read.tx().all(&sql, vec![]).await;
        let people = rows.and_then(|rows| rows.iter().map(|row| person::from_row(row, 0)).collect());
        read.finish(people).await
    }

    async fn person(&self, id_: PersonId) -> StorageResult<Option<Person>> {
        let read = self.db.look("person")?;
        let sql = format!("SELECT {PERSON} FROM people AS p WHERE id = ?");
        let row = read.tx().one(&sql, vec![id(id_.as_uuid())]).await;
        let person = row.and_then(|row| row.map(|row| person::from_row(&row, 0)).transpose());
        read.finish(person).await
    }
}
