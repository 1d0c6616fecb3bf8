//! A machine without a keyring.

use fieldpost::{Secret, SecretError, SecretErrorKind, SecretName, SecretStore, async_trait};

/// Out of reach for a reason: a later start may have a keyring, so nothing is taken for lost.
pub(super) struct NoKeyring(pub(super) String);

impl NoKeyring {
    fn error(&self) -> SecretError {
        SecretError::new(SecretErrorKind::Unavailable, self.0.clone())
    }
}

#[async_trait]
impl SecretStore for NoKeyring {
    fn describe(&self) -> String {
        "the keyring".to_owned()
    }

    async fn get(&self, _: &SecretName) -> Result<Option<Secret>, SecretError> {
        Err(self.error())
    }

    async fn put(&self, _: &SecretName, _: &Secret) -> Result<(), SecretError> {
        Err(self.error())
    }

    async fn delete(&self, _: &SecretName) -> Result<(), SecretError> {
        Err(self.error())
    }
}
