//! Names of tables and columns.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that cannot name a table or a column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name: use 1 to 48 of a–z, 0–9 and _, and begin with a letter")]
pub struct NameError(String);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a name. It is used in SQL, so it is never quoted wrongly: 1 to 48 of a–z, 0–9 and `_`, a letter
            /// first.
            ///
            /// # Errors
            /// [`NameError`] for any other text.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                if is_name(&text) { Ok(Self(text)) } else { Err(NameError(text)) }
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a table of records.
    TableName
);
name!(
    /// The name of a column of such a table.
    ColumnName
);

fn is_name(text: &str) -> bool {
    let plain = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    plain && text.len() <= 48 && text.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_names() {
        for good in ["treatments", "a", "gps_lat", "t2"] {
            assert_eq!(TableName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "2t", "_t", "Workers", "a b", "a\"b", "ä", &"x".repeat(49)] {
            assert!(TableName::new(bad).is_err(), "{bad}");
            assert!(serde_json::from_value::<ColumnName>(bad.into()).is_err(), "{bad}");
        }
    }
}
