//! The server's clock, injected so that tests are repeatable.

use fieldpost_domain::Time;

/// The server's time. Any `Fn() -> Time` is a clock, for example `chrono::Utc::now`.
pub trait ServerClock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

impl<F: Fn() -> Time + Send + Sync> ServerClock for F {
    fn now(&self) -> Time {
        self()
    }
}
