//! The settings about records.

use super::{Builder, missing};
use crate::{
    Error, Result,
    records::{RecordTable, clinical_tables},
    sides::Sides,
};
use fieldpost_remote::RecordsApi;
use fieldpost_storage::{StorageError, StorageErrorKind, records::RecordStore};
use fieldpost_sync::{Env, Rhythm};
use std::sync::Arc;

/// What was declared, and where it is kept and synced.
#[derive(Default)]
pub(super) struct Declaring {
    tables: Option<Vec<RecordTable>>,
    /// Tables of earlier declarations stay declared.
    known: bool,
    store: Option<Arc<dyn RecordStore>>,
    api: Option<Arc<dyn RecordsApi>>,
}

impl Builder {
    /// Declares offline tables of the app's own, beside its messages. Give all of them in every start.
    pub fn records(mut self, tables: impl IntoIterator<Item = RecordTable>) -> Self {
        self.records.tables.get_or_insert_default().extend(tables);
        self
    }

    /// Declares the four clinical tables: treatments, workers, near misses and safety checks.
    pub fn clinical(self) -> Self {
        self.records(clinical_tables())
    }

    /// Keeps the tables that were declared when the file was last open, beside those that are declared now. For tools that
    /// open the files of apps; an app declares what it uses.
    pub fn known_records(mut self) -> Self {
        self.records.known = true;
        self
    }

    /// Your own store of records in place of the file.
    pub fn record_store(mut self, store: Arc<dyn RecordStore>) -> Self {
        self.records.store = Some(store);
        self
    }

    /// Your own remote for records in place of a Supabase project.
    pub fn records_remote(mut self, remote: Arc<dyn RecordsApi>) -> Self {
        self.records.api = Some(remote);
        self
    }
}

impl Declaring {
    /// The file, unless the app has given a store of its own.
    #[cfg(feature = "sqlite")]
    pub(super) fn default_store(&mut self, store: &Arc<fieldpost_storage_sqlite::SqliteStore>) {
        self.store.get_or_insert_with(|| store.clone());
    }

    /// The project, unless the app has given a remote of its own.
    #[cfg(feature = "supabase")]
    pub(super) fn default_api(&mut self, api: &Arc<fieldpost_remote_supabase::SupabaseRemote>) {
        self.api.get_or_insert_with(|| api.clone());
    }

    /// Declares the tables and adds the side of the records; nothing without a declaration.
    pub(super) async fn open(
        self,
        sides: Sides,
        env: &Env,
        rhythm: Rhythm,
    ) -> Result<(Sides, Option<Arc<dyn RecordStore>>)> {
        if self.tables.is_none() && !(self.known && self.store.is_some()) {
            return Ok((sides, None));
        }
        let store = self.store.ok_or_else(|| missing("a store of records", "record_store"))?;
        let mut tables = self.tables.unwrap_or_default();
        if self.known {
            let declared = |name| tables.iter().any(|table: &RecordTable| table.name == name);
            let known: Vec<_> = store.declared().await?.into_iter().filter(|it| !declared(it.name.clone())).collect();
            tables.extend(known);
        }
        if tables.is_empty() && waits(&*store, env).await? {
            tables = clinical_tables();
        }
        if tables.is_empty() {
            return Ok((sides, None));
        }
        let api = self.api.ok_or_else(|| missing("a remote for records", "records_remote"))?;
        store.declare(&tables).await.map_err(refused)?;
        Ok((sides.with_records(store.clone(), api, env.clone(), rhythm), Some(store)))
    }
}

/// Whether a queue came with the file of an older app, which knew only the clinical tables.
async fn waits(store: &dyn RecordStore, env: &Env) -> Result<bool> {
    let counts = store.record_counts(env.now()).await?;
    Ok(counts.pending + counts.failed > 0)
}

fn refused(error: StorageError) -> Error {
    match error.kind() {
        StorageErrorKind::Declaration => Error::Configuration(error.to_string()),
        _ => error.into(),
    }
}
