//! The devserver over raw HTTP: a client that knows nothing but sockets, so that nothing of reqwest's kindness hides a
//! mistake.

mod ages;
mod client;
mod faults;
mod gate;
mod push;
mod rpc;
mod sessions;
