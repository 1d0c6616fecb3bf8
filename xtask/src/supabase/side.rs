//! A second stack in the tests' cluster, with its own databases and its own Supabase Lite.
//!
//! Bugs are planted here, so that they affect no other test.

use super::{Places, Purpose, Settings, ensure_up, lite, node, write_stack};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A second stack. Dropping it stops it.
pub(crate) struct Side {
    places: Places,
    /// The settings of the cluster, for creating and dropping databases.
    cluster: Settings,
    settings: Settings,
    template: String,
}

impl Side {
    /// Starts the tests' stack if it is down, and prepares the database from which each fresh one is copied.
    pub(crate) fn open(root: &Path, name: &str) -> Result<Self> {
        ensure_up(root, Purpose::Tests)?;
        let cluster = Settings::load_or_make(&Places::new(root, Purpose::Tests)?.home)?;
        let home = root.join(".fieldpost").join(name);
        fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
        // Otherwise two concurrent runs would drop each other's databases.
        let tag = std::process::id();
        let places = Places { root: root.to_owned(), home };
        let settings = cluster.beside(&format!("fieldpost_{name}_{tag}"))?;
        let side = Self { places, template: format!("fieldpost_{name}_{tag}_template"), cluster, settings };
        side.database(&json!({"name": side.template}))?;
        // Supabase Lite creates the schema `auth` when it starts.
        let blank = Settings { database: side.template.clone(), ..side.settings.clone() };
        let pid = lite::start(&side.places, &blank)?;
        lite::stop(&side.places, pid)?;
        Ok(side)
    }

    /// Recreates the database, applies the SQL of a folder to it, and starts the API. Returns the path of its
    /// `stack.json`.
    pub(crate) fn fresh(&self, migrations: &Path) -> Result<PathBuf> {
        self.stop()?;
        self.database(&json!({"name": self.settings.database, "template": self.template}))?;
        let input = json!({"database_url": self.settings.database_url(), "migrations": migrations});
        node::script(&self.places.tests(), "install.mjs", &input)?;
        let pid = lite::start(&self.places, &self.settings)?;
        write_stack(&self.places, &self.settings, Value::Array(Vec::new()), pid)?;
        Ok(self.places.stack())
    }

    /// The `stack.json` of the tests' stack, for tests that create their own databases in its cluster.
    pub(crate) fn cluster_stack(&self) -> PathBuf {
        Purpose::Tests.stack(&self.places.root)
    }

    /// The folder with this stack's files.
    pub(crate) fn home(&self) -> &Path {
        &self.places.home
    }

    fn stop(&self) -> Result<()> {
        if let Some(stack) = self.places.read_stack() {
            if let Some(pid) = stack.0["pids"]["lite"].as_u64() {
                lite::stop(&self.places, pid)?;
            }
            fs::remove_file(self.places.stack())?;
        }
        Ok(())
    }

    fn database(&self, what: &Value) -> Result<()> {
        let mut input = json!({"database_url": self.cluster.database_url()});
        if let (Some(input), Some(what)) = (input.as_object_mut(), what.as_object()) {
            input.extend(what.clone());
        }
        node::script(&self.places.tests(), "database.mjs", &input).map(drop)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // While dropping, an error cannot be reported; at worst an unused database remains.
        let _ = self.stop();
        for name in [&self.settings.database, &self.template] {
            let _ = self.database(&json!({"name": name, "drop": true}));
        }
    }
}
