//! Changes of records that lost, until the person has decided.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_conflicts")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) position: i64,
    #[sea_orm(unique)]
    pub(crate) id: Id,
    #[sea_orm(indexed)]
    pub(crate) table_name: String,
    pub(crate) record_id: Id,
    pub(crate) lost: String,
    pub(crate) lost_modified_at: Micros,
    pub(crate) won: String,
    pub(crate) won_modified_at: Micros,
    pub(crate) noticed_at: Micros,
}

impl ActiveModelBehavior for ActiveModel {}
