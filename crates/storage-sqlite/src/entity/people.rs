//! People, once for each org that they are or were members of.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "people")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Id,
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub(crate) org_id: Id,
    pub(crate) role: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    #[sea_orm(indexed)]
    pub(crate) medic_id: Option<Id>,
    pub(crate) removed: bool,
    pub(crate) confirmed: i64,
    pub(crate) version: i64,
    pub(crate) extra: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
