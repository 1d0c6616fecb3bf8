//! Names and secrets.

use crate::SecretName;
use crate::conformance::build::{ada, iris};
use fieldpost_domain::Secret;

/// The name of Iris' session in a database.
#[must_use]
pub fn name(database: &str) -> SecretName {
    SecretName::of_session(database, iris().id)
}

/// The name of Ada's session in the same database.
#[must_use]
pub fn another_persons_name(database: &str) -> SecretName {
    SecretName::of_session(database, ada().id)
}

/// A secret.
#[must_use]
pub fn secret(text: &str) -> Secret {
    Secret::new(text)
}
