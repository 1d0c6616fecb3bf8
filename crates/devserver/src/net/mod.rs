//! Sockets that fail on demand.

mod connection;
mod listener;
mod switch;

pub(crate) use connection::Breaker;
pub(crate) use listener::SwitchedListener;
pub(crate) use switch::Switch;
