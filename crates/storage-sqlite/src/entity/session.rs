//! The session of whoever is signed in.

use super::value::{Id, Micros};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) only: i64,
    pub(crate) person_id: Id,
    pub(crate) email: Option<String>,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) expires_at: Micros,
}

impl ActiveModelBehavior for ActiveModel {}
