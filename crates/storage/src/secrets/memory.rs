//! Secrets that end with the process.

use super::{SecretError, SecretName, SecretStore};
use async_trait::async_trait;
use fieldpost_domain::Secret;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Keeps secrets in memory: they end with the process, and the person signs in anew after each start. Clones share what they
/// keep. It is the reference of [`SecretStore`].
#[derive(Clone, Default)]
pub struct MemorySecrets {
    kept: Arc<Mutex<BTreeMap<SecretName, Secret>>>,
}

impl MemorySecrets {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of what it keeps.
    #[must_use]
    pub fn names(&self) -> Vec<SecretName> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

#[async_trait]
impl SecretStore for MemorySecrets {
    fn describe(&self) -> String {
        "the memory of this process".to_owned()
    }

    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, SecretError> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    async fn put(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), secret.clone());
        Ok(())
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}

impl fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySecrets").finish_non_exhaustive()
    }
}
