//! The devserver over raw HTTP, with a client that uses only sockets: reqwest's tolerance could hide a mistake.

mod ages;
mod client;
mod faults;
mod gate;
mod push;
mod realtime;
mod records;
mod rpc;
mod sessions;
