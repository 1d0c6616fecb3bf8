//! A copy of the sources, with a bug in it.

use super::table::Bug;
use crate::simulate;
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub(super) struct Sources {
    root: PathBuf,
    copy: PathBuf,
    target: PathBuf,
}

/// The file of a bug as it is, and with the bug in it.
fn texts(root: &Path, bug: &Bug) -> Result<(String, String)> {
    let text = fs::read_to_string(root.join(bug.file)).with_context(|| bug.file.to_owned())?;
    match text.matches(bug.find).count() {
        1 => {
            let planted = text.replacen(bug.find, bug.with, 1);
            Ok((text, planted))
        }
        found => {
            bail!("the bug \"{}\": {} has its text {found} times instead of once:\n{}", bug.name, bug.file, bug.find)
        }
    }
}

/// Whether a bug still fits.
pub(super) fn check(root: &Path, bug: &Bug) -> Result<()> {
    texts(root, bug).map(drop)
}

impl Sources {
    /// Copies what git knows of, and only what has changed since the last time, so that little is built again.
    pub(super) fn copy(root: &Path) -> Result<Self> {
        let home = root.join("target/planted");
        let (copy, target) = (home.join("sources"), home.join("target"));
        let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().context("git ls-files")?;
        for name in String::from_utf8(output.stdout)?.split('\0').filter(|name| !name.is_empty()) {
            let (from, to) = (root.join(name), copy.join(name));
            // What was removed and not committed yet is not there.
            let Ok(new) = fs::read(&from) else { continue };
            if fs::read(&to).ok().as_ref() != Some(&new) {
                fs::create_dir_all(to.parent().context("a file without a folder")?)?;
                fs::write(&to, new)?;
            }
        }
        Ok(Self { root: root.to_owned(), copy, target })
    }

    pub(super) fn simulator(&self) -> Result<PathBuf> {
        simulate::build(&self.copy, &self.target)
    }

    pub(super) fn plant(&self, bug: &Bug) -> Result<()> {
        let (_, planted) = texts(&self.root, bug)?;
        Ok(fs::write(self.copy.join(bug.file), planted)?)
    }

    pub(super) fn pull_out(&self, bug: &Bug) -> Result<()> {
        let (text, _) = texts(&self.root, bug)?;
        Ok(fs::write(self.copy.join(bug.file), text)?)
    }
}
