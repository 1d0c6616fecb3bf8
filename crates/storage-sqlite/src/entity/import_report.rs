//! What an upgrade could not take over, and why.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_report")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) pk: i64,
    pub(crate) table_name: String,
    pub(crate) row_id: String,
    pub(crate) column_name: Option<String>,
    pub(crate) reason: String,
    pub(crate) content: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
