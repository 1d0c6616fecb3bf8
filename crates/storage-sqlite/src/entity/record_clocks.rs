//! By how much a clock of this device was ahead of the server's.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_clocks")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) clock: Id,
    pub(crate) ahead_micros: i64,
}

impl ActiveModelBehavior for ActiveModel {}
