//! The engine on the reference store and the reference server, with a network that fails on command.

mod converge;
mod counts;
mod given;
mod sessions;
mod status;
