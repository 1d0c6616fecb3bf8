//! A stack beside that of the tests, in the same cluster: databases of its own, and a Supabase Lite of its own in front of them.
//!
//! What is broken on purpose is broken here, so that no other test meets it.

use super::{Places, Purpose, Settings, ensure_up, lite, node, write_stack};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Such a stack. It is taken down when it is dropped.
pub(crate) struct Side {
    places: Places,
    /// Of the cluster, to make and drop databases.
    cluster: Settings,
    settings: Settings,
    template: String,
}

impl Side {
    /// Starts the stack of the tests if it is down, and prepares a database that every fresh one is copied from.
    pub(crate) fn open(root: &Path, name: &str) -> Result<Self> {
        ensure_up(root, Purpose::Tests)?;
        let cluster = Settings::load_or_make(&Places::new(root, Purpose::Tests)?.home)?;
        let home = root.join(".fieldpost").join(name);
        fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
        // Two runs at a time would otherwise drop each other's databases.
        let tag = std::process::id();
        let places = Places { root: root.to_owned(), home };
        let settings = cluster.beside(&format!("fieldpost_{name}_{tag}"))?;
        let side = Self { places, template: format!("fieldpost_{name}_{tag}_template"), cluster, settings };
        side.database(&json!({"name": side.template}))?;
        // Supabase Lite makes the schema `auth` when it starts.
        let blank = Settings { database: side.template.clone(), ..side.settings.clone() };
        let pid = lite::start(&side.places, &blank)?;
        lite::stop(&side.places, pid)?;
        Ok(side)
    }

    /// Makes the database anew, applies the SQL of a folder to it, and starts the API. Answers the path of its `stack.json`.
    pub(crate) fn fresh(&self, migrations: &Path) -> Result<PathBuf> {
        self.stop()?;
        self.database(&json!({"name": self.settings.database, "template": self.template}))?;
        let input = json!({"database_url": self.settings.database_url(), "migrations": migrations});
        node::script(&self.places.tests(), "install.mjs", &input)?;
        let pid = lite::start(&self.places, &self.settings)?;
        write_stack(&self.places, &self.settings, Value::Array(Vec::new()), pid)?;
        Ok(self.places.stack())
    }

    /// The `stack.json` of the stack of the tests, for tests that make databases of their own in its cluster.
    pub(crate) fn cluster_stack(&self) -> PathBuf {
        Purpose::Tests.stack(&self.places.root)
    }

    /// Where this stack keeps its files.
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
        // On the way out there is nobody left to tell; what stays behind is a database that nothing uses.
        let _ = self.stop();
        for name in [&self.settings.database, &self.template] {
            let _ = self.database(&json!({"name": name, "drop": true}));
        }
    }
}
