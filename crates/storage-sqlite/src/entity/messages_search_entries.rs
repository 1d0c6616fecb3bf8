//! What is in the full-text index.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages_search_entries")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) key: i64,
    #[sea_orm(unique)]
    pub(crate) message: i64,
    pub(crate) folded: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
