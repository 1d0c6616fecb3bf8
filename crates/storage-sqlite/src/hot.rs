//! Statements that run often.
//!
//! Each has one text, so that it is prepared once, and a plan that is checked (`plans`): a module declares all of its own with
//! [`hot!`], which also makes the list of them that the check reads. A module that the check does not name has a list that
//! nobody uses, and does not pass the lints.

use std::{borrow::Cow, fmt, ops::Deref, sync::LazyLock};

/// A statement.
pub(crate) struct Hot {
    /// What it is about.
    pub(crate) what: &'static str,
    pub(crate) plan: Plan,
    sql: LazyLock<String>,
}

/// How it finds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code, reason = "for the check of plans"))]
pub(crate) enum Plan {
    /// It visits no whole table.
    Bounded,
    /// By this index, in its order.
    Ordered(&'static str),
    /// By this index, then sorted: few rows.
    Sorted(&'static str),
}

impl Hot {
    /// For [`hot!`] alone.
    pub(crate) const fn declared(what: &'static str, plan: Plan, sql: fn() -> String) -> Self {
        Self { what, plan, sql: LazyLock::new(sql) }
    }
}

impl Deref for Hot {
    type Target = str;

    fn deref(&self) -> &str {
        &self.sql
    }
}

impl From<&'static Hot> for Cow<'static, str> {
    fn from(hot: &'static Hot) -> Self {
        Self::Borrowed(hot)
    }
}

impl fmt::Debug for Hot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hot").field("what", &self.what).field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// The statements of a module that run often.
macro_rules! hot {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $plan:expr, $sql:expr;)+) => {
        $($(#[$doc])*
        pub(crate) static $name: $crate::hot::Hot = $crate::hot::Hot::declared($what, $plan, || String::from($sql));)+

        /// All of them, for the check of their plans.
        #[cfg(test)]
        pub(crate) fn hot() -> Vec<&'static $crate::hot::Hot> {
            vec![$(&$name),+]
        }
    };
}
pub(crate) use hot;
