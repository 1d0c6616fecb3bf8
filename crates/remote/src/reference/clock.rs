//! The server's clock, injected so that tests are repeatable.

use fieldpost_domain::Time;

/// What time the server thinks it is. Any `Fn() -> Time` is one, `chrono::Utc::now` among them.
pub trait ServerClock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

impl<F: Fn() -> Time + Send + Sync> ServerClock for F {
    fn now(&self) -> Time {
        self()
    }
}
