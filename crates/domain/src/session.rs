//! A session: the tokens of a signed-in person. Tokens never appear in a log or an error.

use crate::{PersonId, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a token.
            #[must_use]
            pub fn new(token: impl Into<String>) -> Self {
                Self(token.into())
            }

            /// The token itself, for the code that sends or stores it.
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
    };
}

secret!(
    /// Authenticates the caller; short-lived.
    AccessToken
);
secret!(
    /// Exchanged for a new access token; single use.
    RefreshToken
);

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
    fn a_token_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", AccessToken::new("eyJhbGci")), "AccessToken(…)");
    }
}
