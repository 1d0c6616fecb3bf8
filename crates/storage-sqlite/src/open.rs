//! Opening a file: look first, refuse untouched, then upgrade, then serve.

use crate::{
    connections::Connections, db::Db, error::at_border, file, options::SqliteOptions, outbox, path, store::SqliteStore,
    turn::TurnFile,
};
use fieldpost_storage::StorageResult;

impl SqliteStore {
    /// Opens a file; makes one, readable by its owner only, if there is none. A file of an older version, back to version 4
    /// of the app that Fieldpost replaces, is upgraded in place, whole or not at all.
    ///
    /// # Errors
    /// [`InvalidPath`], [`NewerSchema`], [`NotADatabase`] and [`CannotOpen`] before
    /// anything is written.
    ///
    /// [`InvalidPath`]: fieldpost_storage::StorageErrorKind::InvalidPath
    /// [`NewerSchema`]: fieldpost_storage::StorageErrorKind::NewerSchema
    /// [`NotADatabase`]: fieldpost_storage::StorageErrorKind::NotADatabase
    /// [`CannotOpen`]: fieldpost_storage::StorageErrorKind::CannotOpen
    pub async fn open(options: impl Into<SqliteOptions>) -> StorageResult<Self> {
        let options = options.into();
        path::check(options.path()).map_err(|fault| at_border(fault, "open", options.path()))?;
        let opened = Connections::open(&options).await.map_err(|fault| at_border(fault, "open", options.path()))?;
        let ids = options.ids();
        let real = file::real(options.path().to_owned()).await;
        let turn = TurnFile::beside(&real, "-turn");
        #[cfg(feature = "records")]
        let records = crate::pass::Pass::beside(&real);
        let db = Db::new(options, opened);
        if let Err(error) = outbox::check_readable(&db).await {
            // The failure that matters is the first one.
            let _ = db.close().await;
            return Err(error);
        }
        Ok(Self {
            db,
            turn,
            ids,
            #[cfg(feature = "records")]
            records,
        })
    }
}
