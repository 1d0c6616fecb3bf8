//! A session: the tokens of a signed-in person. The tokens never show in a log or an error.

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

            /// The token itself, for the one place that sends or stores it.
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
    /// Proves who is calling; short-lived.
    AccessToken
);
secret!(
    /// Buys the next access token; each is used once.
    RefreshToken
);

/// What signing in gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub person_id: PersonId,
    /// The address they signed in with, if the server tells.
    pub email: Option<String>,
    /// Sent with every call.
    pub access_token: AccessToken,
    /// Kept for the next refresh.
    pub refresh_token: RefreshToken,
    /// When the access token runs out by the server's word. A hint for refreshing early; only the server's 401 decides.
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
