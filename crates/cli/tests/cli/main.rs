//! The command-line tool as a process: its output and its exit codes.
#![expect(clippy::unwrap_used, reason = "a step that fails has to fail its test")]

mod bad_input;
mod canned;
mod commands;
mod doctor;
#[cfg(unix)]
mod encrypted;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod forward;
#[cfg(unix)]
mod hardening;
#[cfg(unix)]
mod importing;
#[cfg(all(unix, feature = "encryption"))]
mod keys;
#[cfg(unix)]
mod live_proxies;
mod names;
mod proxies;
mod records;
mod reports;
mod screen;
mod searching;
mod settings;
mod sql;
mod terminal;
#[cfg(unix)]
mod tls;
#[cfg(unix)]
mod tokens;
#[cfg(unix)]
mod tour;
mod typing;
#[cfg(unix)]
mod watch;
mod wiping;
