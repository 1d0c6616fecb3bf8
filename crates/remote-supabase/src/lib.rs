//! The remote contract of Fieldpost over Supabase's interfaces: PostgREST RPC for the four calls of docs/protocol.md (with the
//! feature `records`, of its three for records too), GoTrue for sessions, Realtime for live hints.
//!
//! ```no_run
//! use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
//!
//! let config = SupabaseConfig::new("https://abcd.supabase.co", "sb_publishable_…").with_app("siteapp/3.1");
//! let remote = SupabaseRemote::new(config)?;
//! # Ok::<(), fieldpost_remote::RemoteError>(())
//! ```
//!
//! Modules: `http` sends one request and reads one response of limited size; `connections` keeps what it travels on (its
//! essay: warm and dead connections); `error` classifies failures (its essay: what is known about the outcome); `wire`
//! reads and writes JSON (its essay: tolerant reading); `rpc` and `auth` combine them behind the contract; `live` is the
//! WebSocket of Realtime. The crate keeps no state besides the connections, and only `sync` decides to retry. The one
//! exception is below it: what HTTP/2 has refused before it was looked at is sent again at once.
//!
//! Network: TLS is rustls with ring and the platform's trusted certificates, configured per client, so the app's own
//! rustls is not affected. Calls go over HTTP/2 where the server has it. Redirects are never followed: Supabase sends none,
//! and a token must not travel to another host. The proxy of the environment is used (`HTTPS_PROXY`, `NO_PROXY`, …), or the
//! one of [`SupabaseConfig::with_proxy`]; not the settings of the desktop. On Android, call
//! `rustls_platform_verifier::android::init_with_env` (or one of its siblings) once before the first call.

mod auth;
mod config;
mod connections;
mod endpoints;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod key;
mod live;
mod proxy;
#[cfg(feature = "records")]
mod records;
mod remote;
mod rpc;
mod tls;
mod wire;

pub use config::SupabaseConfig;
pub use proxy::Proxy;
pub use remote::SupabaseRemote;
