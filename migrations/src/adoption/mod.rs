//! Adopting a file of the app that Fieldpost replaces, and the account of it.
//!
//! The migrations convert the rows. What is around them happens here, in the same transaction:
//!
//! * [`prepare`] brings the file into the shape that the migrations start from, whatever state the app left it in.
//! * The migrations tell what became of each row ([`came`], [`note`]). Where nobody asked for an account, as with a file
//!   of Fieldpost's own, these do nothing.
//! * [`account`] keeps the account in the file, so that it can be shown at any later time.

mod account;
mod known;
mod prepare;

pub(crate) use account::{At, came, note};
pub use account::{Outcome, Progress};

use crate::{Migrator, v4, v5};
use account::Account;
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement},
};

/// Told how far an adoption is.
pub(crate) type Watch = Box<dyn Fn(Progress) + Send + Sync>;

/// Adopts a file of this version, and runs all migrations after it.
pub(crate) async fn adopt(db: &DatabaseTransaction, version: u32, watch: Watch) -> Result<(), DbErr> {
    let account = Account::new(watch);
    let in_account = async {
        let found = prepare::prepare(db, version).await?;
        account.begin(db, version).await?;
        let done: &[&str] =
            if found.has_messaging { &[v4::MIGRATION.name, v5::MIGRATION.name] } else { &[v4::MIGRATION.name] };
        mark_applied(db, done).await?;
        Migrator::up(db, None).await
    };
    account::within(&account, in_account).await?;
    account.write(db).await
}

/// Records the first migrations as applied, because WatermelonDB has created their tables.
async fn mark_applied(db: &DatabaseTransaction, names: &[&str]) -> Result<(), DbErr> {
    Migrator::install(db).await?;
    for name in names {
        let sql = "INSERT INTO seaql_migrations (version, applied_at) VALUES (?, unixepoch())";
        let values = [(*name).into()];
        db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?;
    }
    Ok(())
}
