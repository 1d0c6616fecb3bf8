//! Which conversations the server knows has changed, since their fingerprint was worked out.

use super::value::Id;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_changes")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) pk: i64,
    pub(crate) id: Id,
    pub(crate) step: i64,
}

impl ActiveModelBehavior for ActiveModel {}
