//! A session: the tokens of a signed-in person, and the password that they come from.
//!
//! None of these appears in a log or an error, and each is wiped from memory when it is dropped. That covers what this type
//! holds, not the copies that the operating system, TLS or a database makes.

use crate::{PersonId, Time};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroize;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Wraps it.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text itself, for the code that sends or stores it.
            #[must_use]
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }
    };
}

secret!(
    /// Authenticates the caller; short-lived.
    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    AccessToken
);
secret!(
    /// Exchanged for a new access token; single use.
    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    RefreshToken
);
secret!(
    /// What a store of secrets keeps; only it and the code that made it read it.
    Secret
);
secret!(
    /// What a person types to sign in. It is sent and never stored, so it has no stored form.
    Password
);

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// The result of signing in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The signed-in person.
    pub person_id: PersonId,
    /// The address they signed in with, if the server returns it.
    pub email: Option<String>,
    /// Sent with every call.
    pub access_token: AccessToken,
    /// Kept for the next refresh.
    pub refresh_token: RefreshToken,
    /// When the access token expires, according to the server. It only allows an early refresh; the server's 401
    /// decides.
    pub expires_at: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", AccessToken::new("eyJhbGci")), "AccessToken(…)");
        assert_eq!(format!("{:?}", Password::new("hunter2")), "Password(…)");
    }
}
