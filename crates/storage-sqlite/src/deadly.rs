//! For tests: threads of SQLite that die.

use tracing::{Subscriber, subscriber::DefaultGuard};
use tracing_subscriber::{Layer, layer, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt};

/// While this is held, a thread of SQLite dies as soon as it works for a caller in a span.
pub(crate) fn threads() -> DefaultGuard {
    tracing_subscriber::registry().with(Deadly).set_default()
}

struct Deadly;

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Deadly {
    fn on_enter(&self, _: &tracing::span::Id, _: layer::Context<'_, S>) {
        let here = std::thread::current();
        assert!(!here.name().is_some_and(|name| name.starts_with("sqlx-sqlite")), "this thread was to die");
    }
}
