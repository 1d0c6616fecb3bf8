//! Whether a retry can succeed. Every error of the lower layers carries this, and only `sync` acts on it.

use std::time::Duration;

/// What must happen before the same call can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Waiting does not help: the same call would fail again.
    Never,
    /// This much time must pass.
    After(Duration),
    /// The server must be reachable.
    WhenOnline,
    /// A fresh session is needed.
    AfterReauth,
}
