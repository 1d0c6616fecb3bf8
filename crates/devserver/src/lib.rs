//! A local stand-in for a Supabase project: GoTrue's, PostgREST's and Realtime's wire over the reference server, on loopback.
//!
//! It serves the demo without any account, and `remote-supabase` is tested against it over real sockets. So it is as
//! strict as hosted Supabase where that is strict: the API key, tokens, argument names, methods, content types, error
//! bodies. The network before it is a [`FaultProxy`]: on demand as unreliable as on a construction site.
//!
//! A request passes through these modules, from the outside in:
//!
//! - `proxy`: the bad network, if a test puts one before the server, this one or a real one.
//! - `outer`: what all requests share, with the counters of `wire`.
//! - `auth` and `rest`: GoTrue's three endpoints, the four functions, and the three for records.
//! - `realtime`: the WebSocket of live hints, with faults of its own (`live`, [`LiveFaults`]).
//!
//! It shares no types with `remote-supabase`: each side implements docs/protocol.md on its own, so that a mistake in
//! one does not hide in the other.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use fieldpost_devserver::{DevServer, Endpoint, Fault, FaultProxy};
//!
//! let server = DevServer::builder().start().await?;
//! let network = FaultProxy::before(&server).await?;
//! tracing::info!(url = network.url(), key = server.anon_key(), "listening");
//! network.order(Endpoint::Push, 1, Fault::LoseAnswer);
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
mod live;
mod outer;
mod proxy;
mod realtime;
mod rest;
mod server;
mod wire;

pub use live::{HintsByTopic, Interruption, LiveFault, LiveFaults};
pub use proxy::{Fault, FaultMix, FaultProxy, LineConditions, Tally};
pub use server::{DevServer, DevServerBuilder, StartError};
pub use wire::{Endpoint, RequestRecord, Requests};
