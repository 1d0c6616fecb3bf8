//! The machine as a table: what has happened, and what it decides.

mod follow;
mod given;
mod push;
mod repair;
