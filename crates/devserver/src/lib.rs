//! A local stand-in for a Supabase project: GoTrue's and PostgREST's wire over the reference server, on loopback.
//!
//! It serves the demo without any account, and `remote-supabase` is tested against it over real sockets. So it is as
//! strict as hosted Supabase where that is strict (the API key, tokens, argument names, methods, content types, error
//! bodies) and, on demand, as unreliable as the network on a construction site: see [`Faults`].
//!
//! A request passes through these modules, from the outside in:
//!
//! - `net`: sockets. A listener that can really refuse connections, and connections that can break in the middle of a
//!   response.
//! - `outer`: what all requests share, with the counters and faults of `wire`.
//! - `auth` and `rest`: GoTrue's three endpoints and the four functions.
//!
//! It shares no types with `remote-supabase`: each side implements docs/protocol.md on its own, so that a mistake in
//! one does not hide in the other.
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
