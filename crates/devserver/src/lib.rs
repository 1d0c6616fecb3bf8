//! A local stand-in for a Supabase project: GoTrue's and PostgREST's wire over the reference server, on loopback.
//!
//! It serves the demo without an account anywhere, and it is what `remote-supabase` is tested against over real sockets.
//! So it is as strict as hosted Supabase where hosted Supabase is strict (the API key, tokens, argument names, methods,
//! content types, error bodies) and, on demand, as unreliable as a building site: see [`Faults`].
//!
//! Requests pass through three rooms, from the outside in:
//!
//! - `net`: sockets. A listener that can really refuse connections, and connections that can break in mid-answer.
//! - `outer`: what is common to all requests, by the counters and faults of `wire`.
//! - `auth` and `rest`: GoTrue's three endpoints and the four functions.
//!
//! It shares no types with `remote-supabase`: each side reads docs/protocol.md for itself, so that a mistake in one does
//! not hide in the other.
//!
//! ```no_run
//! # async fn example() -> Result<(), fieldpost_devserver::StartError> {
//! let server = fieldpost_devserver::DevServer::builder().start().await?;
//! tracing::info!(url = server.url(), key = server.anon_key(), "listening");
//! server.faults().lose_answers(fieldpost_devserver::Endpoint::Push, 1);
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod app;
mod auth;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod net;
mod outer;
mod rest;
mod server;
mod wire;

pub use server::{DevServer, DevServerBuilder, StartError};
pub use wire::{Endpoint, Faults, RequestRecord, Requests};
