//! The role that knows people.

use crate::{
    SqliteStore,
    entity::{
        people::{Column, Entity, Model},
        value::Id,
    },
    error::Res,
    sql::Tx,
};
use async_trait::async_trait;
use fieldpost_domain::{MedicId, Person, PersonId};
use fieldpost_storage::{People, StorageResult};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

#[async_trait]
impl People for SqliteStore {
    async fn people(&self) -> StorageResult<Vec<Person>> {
        let read = self.db.look("people")?;
        let here = Entity::find().filter(Column::Removed.eq(false));
        let in_order = [Column::FirstName, Column::LastName, Column::Id, Column::OrgId];
        let query = in_order.into_iter().fold(here, |query, column| query.order_by_asc(column));
        let people = read.tx().find::<Model>(&query).await;
        read.finish(people.and_then(|people| people.into_iter().map(Person::try_from).collect())).await
    }

    async fn person(&self, id: PersonId) -> StorageResult<Option<Person>> {
        let read = self.db.look("person")?;
        let query = Entity::find().filter(Column::Id.eq(Id(id.as_uuid()))).order_by_asc(Column::Removed);
        let person = first(read.tx(), query.order_by_asc(Column::OrgId)).await;
        read.finish(person).await
    }

    async fn medic(&self, medic: MedicId) -> StorageResult<Option<Person>> {
        let read = self.db.look("medic")?;
        let query = Entity::find().filter(Column::MedicId.eq(Id(medic.as_uuid()))).order_by_asc(Column::Removed);
        let person = first(read.tx(), query.order_by_asc(Column::Id).order_by_asc(Column::OrgId)).await;
        read.finish(person).await
    }
}

async fn first(tx: &Tx, query: Select<Entity>) -> Res<Option<Person>> {
    tx.find_one::<Model>(&query.limit(1)).await?.map(Person::try_from).transpose()
}
