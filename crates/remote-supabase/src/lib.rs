//! The remote contract of Fieldpost over Supabase's HTTP interfaces: PostgREST RPC for the four calls of
//! docs/protocol.md, GoTrue for sessions.
//!
//! ```no_run
//! use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
//!
//! let config = SupabaseConfig::new("https://abcd.supabase.co", "sb_publishable_…").with_app("siteapp/3.1");
//! let remote = SupabaseRemote::new(config)?;
//! # Ok::<(), fieldpost_remote::RemoteError>(())
//! ```
//!
//! How it is built: `http` sends one request and reads one bounded answer; `error` says what a failure means (its essay:
//! what is known about the outcome); `wire` reads and writes JSON (its essay: tolerant reading); `rpc` and `auth` put the
//! three together behind the contract. The crate retries nothing and keeps no state besides the connection pool: only
//! `sync` decides to try again.
//!
//! On the network: TLS is rustls with ring and the certificates that the platform trusts, set per client, so that the
//! app's own rustls is left alone; connections are reused; no redirect is ever followed (Supabase sends none, and a token
//! must not travel to where one points); and proxies from the environment or the system are ignored, so that a variable
//! nobody remembers cannot take messages elsewhere. On Android, call `rustls_platform_verifier::android::init_with_env`
//! (or one of its siblings) once before the first call.

mod auth;
mod config;
mod endpoints;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod remote;
mod rpc;
mod tls;
mod wire;

pub use config::SupabaseConfig;
pub use remote::SupabaseRemote;
