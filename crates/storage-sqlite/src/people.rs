//! The role that knows people.

use crate::{
    SqliteStore,
    rows::person::{self, PERSON},
    sql::id,
};
use async_trait::async_trait;
use fieldpost_domain::{MedicId, Person, PersonId};
use fieldpost_storage::{People, StorageResult};

#[async_trait]
impl People for SqliteStore {
    async fn people(&self) -> StorageResult<Vec<Person>> {
        let read = self.db.look("people")?;
        let sql =
            format!("SELECT {PERSON} FROM people AS p WHERE NOT removed ORDER BY first_name, last_name, id, org_id");
        let rows = read.tx().all(&sql, vec![]).await;
        let people = rows.and_then(|rows| rows.iter().map(|row| person::from_row(row, 0)).collect());
        read.finish(people).await
    }

    async fn person(&self, id_: PersonId) -> StorageResult<Option<Person>> {
        let read = self.db.look("person")?;
        let sql = format!("SELECT {PERSON} FROM people AS p WHERE id = ? ORDER BY removed, org_id LIMIT 1");
        let row = read.tx().one(&sql, vec![id(id_.as_uuid())]).await;
        let person = row.and_then(|row| row.map(|row| person::from_row(&row, 0)).transpose());
        read.finish(person).await
    }

    async fn medic(&self, medic: MedicId) -> StorageResult<Option<Person>> {
        let read = self.db.look("medic")?;
        let sql = format!("SELECT {PERSON} FROM people AS p WHERE medic_id = ? ORDER BY removed, id, org_id LIMIT 1");
        let row = read.tx().one(&sql, vec![id(medic.as_uuid())]).await;
        let person = row.and_then(|row| row.map(|row| person::from_row(&row, 0)).transpose());
        read.finish(person).await
    }
}
