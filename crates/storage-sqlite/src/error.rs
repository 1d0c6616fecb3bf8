//! From what SQLite says to what the caller can do about it.
//!
//! Inside this crate a failure is a [`Fault`]: either a kind of the contract, or what the database said. Only at the border,
//! where the operation and the path are known, it becomes a [`StorageError`]; its source is kept, and no SQL with bound
//! values is ever in it.

use fieldpost_storage::{StorageError, StorageErrorKind};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx};
use std::path::Path;

/// The result inside this crate.
pub(crate) type Res<T> = Result<T, Fault>;

/// A failure inside this crate. It is on the heap, because a thousand places hand it on, each with a copy of what it has.
#[derive(Debug)]
pub(crate) struct Fault(Box<Cause>);

#[derive(Debug)]
enum Cause {
    /// The contract names it.
    Kind(StorageErrorKind, Option<String>),
    /// Fields or conditions do not fit the declaration of their table.
    #[cfg(feature = "records")]
    Field(fieldpost_domain::records::FieldError),
    /// The database said so.
    Database(DbErr),
}

impl Fault {
    pub(crate) fn of(kind: StorageErrorKind, detail: Option<String>) -> Self {
        Cause::Kind(kind, detail).into()
    }

    pub(crate) fn kind(kind: StorageErrorKind) -> Self {
        Self::of(kind, None)
    }

    #[cfg(feature = "records")]
    pub(crate) fn field(error: fieldpost_domain::records::FieldError) -> Self {
        Cause::Field(error).into()
    }

    /// A stored value that cannot have been written by this crate. Says which column, never the value.
    pub(crate) fn corrupt(what: &str) -> Self {
        Self::of(StorageErrorKind::Corrupt, Some(what.to_owned()))
    }
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Self {
        Self(Box::new(cause))
    }
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Cause::Database(error).into()
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Cause::Database(DbErr::Query(RuntimeErr::SqlxError(error.into()))).into()
    }
}

/// Says at the border what failed and where.
pub(crate) fn at_border(fault: Fault, operation: &'static str, path: &Path) -> StorageError {
    let path = path.display();
    match *fault.0 {
        Cause::Kind(kind, None) => StorageError::new(kind, operation),
        Cause::Kind(kind, Some(detail)) => StorageError::new(kind, operation).with_detail(detail),
        #[cfg(feature = "records")]
        Cause::Field(fault) => {
            let error = StorageError::new(StorageErrorKind::InvalidRecord, operation);
            error.with_detail(fault.to_string()).with_source(fault)
        }
        Cause::Database(error) => {
            StorageError::new(kind_of(&error), operation).with_detail(path.to_string()).with_source(error)
        }
    }
}

fn kind_of(error: &DbErr) -> StorageErrorKind {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => StorageErrorKind::Closed,
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => StorageErrorKind::Busy,
        // A value of another type than every version has written there.
        DbErr::Type(_) => StorageErrorKind::Corrupt,
        error => sqlx_error(error).map_or(StorageErrorKind::Other, kind_of_sqlx),
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn kind_of_sqlx(error: &sqlx::Error) -> StorageErrorKind {
    match error {
        sqlx::Error::PoolClosed => StorageErrorKind::Closed,
        sqlx::Error::PoolTimedOut => StorageErrorKind::Busy,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StorageErrorKind::Corrupt,
        error if is_odd_value(error) => StorageErrorKind::Corrupt,
        error => code_of(error).map_or(StorageErrorKind::Other, kind_of_code),
    }
}

/// What SQLite says, with no code of its own, of values that no version has written.
const ODD_VALUES: [&str; 3] = ["JSON cannot hold BLOB values", "malformed JSON", "integer overflow"];

fn is_odd_value(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| ODD_VALUES.iter().any(|said| error.message().contains(said)))
}

fn code_of(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Whether a transaction was cut off in this file, which has to be taken back before anybody can read it.
pub(crate) fn is_cut_off(fault: &Fault) -> bool {
    /// A log that has to be replayed, and a journal that has to be rolled back.
    const SQLITE_READONLY_RECOVERY: i32 = 264;
    const SQLITE_READONLY_ROLLBACK: i32 = 776;
    let Cause::Database(error) = &*fault.0 else { return false };
    let code = sqlx_error(error).and_then(code_of);
    matches!(code, Some(SQLITE_READONLY_RECOVERY | SQLITE_READONLY_ROLLBACK))
}

/// Whether SQLite cannot read the first page of a file with the key that it was given. Behind a header that stays readable it
/// only says that something went wrong.
pub(crate) fn is_no_page(fault: &Fault) -> bool {
    const SQLITE_ERROR: i32 = 1;
    let Cause::Database(error) = &*fault.0 else { return false };
    let failed = |error| code_of(error) == Some(SQLITE_ERROR);
    kind_of(error) == StorageErrorKind::NotADatabase || sqlx_error(error).is_some_and(failed)
}

/// Whether the pages do not fit together.
pub(crate) fn is_damage(fault: &Fault) -> bool {
    is(fault, StorageErrorKind::Corrupt)
}

/// Whether there was no room for what SQLite wanted to write.
pub(crate) fn is_full(fault: &Fault) -> bool {
    is(fault, StorageErrorKind::Full)
}

fn is(fault: &Fault, wanted: StorageErrorKind) -> bool {
    match &*fault.0 {
        Cause::Kind(kind, _) => *kind == wanted,
        #[cfg(feature = "records")]
        Cause::Field(_) => false,
        Cause::Database(error) => kind_of(error) == wanted,
    }
}

/// By SQLite's result codes; the lower byte is the primary one, the rest says more (<https://sqlite.org/rescode.html>).
const fn kind_of_code(code: i32) -> StorageErrorKind {
    /// The memory that connections share is a file, and there was no room for it, or not for all of it.
    const SQLITE_IOERR_SHMOPEN: i32 = 4618;
    const SQLITE_IOERR_SHMSIZE: i32 = 4874;
    if matches!(code, SQLITE_IOERR_SHMOPEN | SQLITE_IOERR_SHMSIZE) {
        return StorageErrorKind::Full;
    }
    /// Another connection, which closes the file or changes its key, has just removed the same log.
    const SQLITE_IOERR_DELETE_NOENT: i32 = 5898;
    if code == SQLITE_IOERR_DELETE_NOENT {
        return StorageErrorKind::Busy;
    }
    // SQLITE_IOERR_WRITE and friends on a full disk arrive as SQLITE_FULL already.
    match code & 0xff {
        // SQLITE_PERM, SQLITE_CANTOPEN
        3 | 14 => StorageErrorKind::CannotOpen,
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => StorageErrorKind::Busy,
        // SQLITE_READONLY
        8 => StorageErrorKind::ReadOnly,
        // SQLITE_CORRUPT
        11 => StorageErrorKind::Corrupt,
        // SQLITE_FULL
        13 => StorageErrorKind::Full,
        // SQLITE_NOTADB
        26 => StorageErrorKind::NotADatabase,
        _ => StorageErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_have_the_kind_of_their_primary_one() {
        // SQLITE_BUSY_SNAPSHOT, SQLITE_READONLY_DIRECTORY, SQLITE_CORRUPT_VTAB, SQLITE_CANTOPEN_ISDIR
        assert_eq!(kind_of_code(5 | 2 << 8), StorageErrorKind::Busy);
        assert_eq!(kind_of_code(8 | 6 << 8), StorageErrorKind::ReadOnly);
        assert_eq!(kind_of_code(11 | 1 << 8), StorageErrorKind::Corrupt);
        assert_eq!(kind_of_code(14 | 2 << 8), StorageErrorKind::CannotOpen);
        assert_eq!(kind_of_code(10 | 23 << 8), StorageErrorKind::Busy);
        assert_eq!(kind_of_code(1), StorageErrorKind::Other);
    }
}
