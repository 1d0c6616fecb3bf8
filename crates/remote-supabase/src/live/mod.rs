//! Live hints over Supabase Realtime: a WebSocket that carries channels of Phoenix.
//!
//! `handshake` opens the WebSocket on a connection of the HTTP client, so nothing about TLS, proxies or timeouts is decided
//! twice. `frame` reads and writes what travels on it. `connection` knows what is joined.
//!
//! What is sent has the person's token in it. This crate logs no frame. tungstenite does at the level `trace`, through the crate
//! `log`: an app that collects its logs keeps that level off for it.

mod connection;
mod frame;
mod handshake;

#[cfg(feature = "fuzzing")]
pub(crate) use {connection::Channels, frame::Frame};

use crate::SupabaseRemote;
use async_trait::async_trait;
use connection::Connection;
use fieldpost_domain::AccessToken;
use fieldpost_remote::{LiveConnection, LiveHints, RemoteResult};

#[async_trait]
impl LiveHints for SupabaseRemote {
    /// The token is not needed yet: the WebSocket belongs to the app, each topic to a person.
    async fn connect(&self, _token: &AccessToken) -> RemoteResult<Box<dyn LiveConnection>> {
        Ok(Box::new(Connection::new(handshake::open(self).await?)))
    }
}
