//! Fieldpost's store, as an app uses it.

use crate::scene::{Scene, Step, at};
use anyhow::{Context as _, Result};
use fieldpost_domain::{AccessToken, BootstrapPage, PersonId, RefreshToken, Session};
use fieldpost_storage::{BootstrapReason, Replica, Sessions, Store};
use fieldpost_storage_sqlite::{SqliteOptions, SqliteStore};
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A store that follows the server of a [`Scene`], in its own folder.
pub(crate) struct Subject {
    pub(crate) runtime: Runtime,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) folder: TempDir,
}

impl Subject {
    /// A store that is signed in, with all conversations and no messages.
    pub(crate) fn new(scene: &Scene) -> Result<Self> {
        Self::following(&scene.bootstrap()?)
    }

    /// A store that is signed in, with this first load.
    pub(crate) fn following(first: &BootstrapPage) -> Result<Self> {
        Self::on(first, SqliteOptions::new)
    }

    /// The same, with a file that is opened in some way.
    pub(crate) fn on(first: &BootstrapPage, options: impl Fn(PathBuf) -> SqliteOptions) -> Result<Self> {
        let runtime = runtime()?;
        let folder = tempfile::tempdir()?;
        let store = runtime.block_on(open(options(folder.path().join(FILE)), first))?;
        Ok(Self { runtime, store: Arc::new(store), folder })
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    pub(crate) fn apply(&self, step: Step) -> Result<()> {
        self.runtime.block_on(self.store.apply_pull(&step.from, step.page))?;
        Ok(())
    }

    /// Fills the file with a number of messages.
    pub(crate) fn fill(&self, scene: &mut Scene, messages: u64) -> Result<()> {
        while scene.sent() < messages {
            self.apply(scene.step(FILL.min(messages - scene.sent()))?)?;
        }
        Ok(())
    }

    pub(crate) fn close(&self) -> Result<()> {
        Ok(self.runtime.block_on(self.store.close())?)
    }
}

const FILE: &str = "fieldpost.db";

/// The messages of a page that only fills the file.
pub(crate) const FILL: u64 = 2_500;

pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

async fn open(options: SqliteOptions, first: &BootstrapPage) -> Result<SqliteStore> {
    let store = SqliteStore::open(options).await?;
    let viewer = first.me.as_ref().context("a first load says whose it is")?;
    store.save_session(&session(viewer.id)).await?;
    store.begin_bootstrap(BootstrapReason::First).await?;
    store.apply_bootstrap(None, first.clone()).await?;
    Ok(store)
}

fn session(person_id: PersonId) -> Session {
    Session {
        access_token: AccessToken::new("a token that no server ever sees"),
        refresh_token: RefreshToken::new("nor this one"),
        expires_at: at(1 << 52),
        person_id,
        email: None,
    }
}
