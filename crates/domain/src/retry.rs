//! Whether trying again can help. Every error of the lower layers carries this, and only `sync` acts on it.

use std::time::Duration;

/// What has to happen before the same call can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing that waiting brings: the same call fails again.
    Never,
    /// Time: not before this has passed.
    After(Duration),
    /// A network that reaches the server.
    WhenOnline,
    /// A fresh session.
    AfterReauth,
}
