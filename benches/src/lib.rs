//! Benchmarks of Fieldpost.
//!
//! "Fast" is a ratio here: how close to the best that the machine can do (raw SQLite, plain SQL on PostgreSQL), and how
//! far ahead of what people use today (`benches/peers`). Machines are shared and noisy, so an absolute time says
//! little. So every bench lets all its subjects do the same work in turn, round after round, and writes a line for each
//! ([`Notes`]); `cargo xtask bench-report` computes medians, spread and ratios from the lines of one run.
//!
//! A subject that represents the best possible must end with the same rows in the same tables. The bench compares them
//! and fails if they differ, so that no subject can skip work that would change a ratio.

mod applying;
mod calls;
mod crowd;
mod decoding;
mod draining;
mod generated;
mod hearing;
mod importing;
mod instructions;
#[cfg(feature = "encryption")]
mod keys;
mod line;
mod loading;
mod meanwhile;
mod memory;
mod notes;
mod peer_client;
mod peers;
mod process;
mod project;
mod pulling;
mod raw;
mod reading;
mod records;
mod scene;
mod searching;
mod sending;
mod serving;
mod size;
mod subject;
mod timeline;
mod watch;
mod watching;
mod wire;

pub use calls::make as make_calls;
pub use crowd::answer_as_devices;
pub use importing::import;
pub use instructions::can_be_counted as instructions_can_be_counted;
pub use memory::hoard;
pub use notes::{Line, Notes};
pub use peer_client::answer as answer_as_phone;
pub use size::Size;
pub use watch::Reading;

use anyhow::Result;

/// A bench.
#[derive(Debug, Clone, Copy)]
pub struct Bench {
    /// Its name on the command line and in the lines.
    pub name: &'static str,
    /// Whether it needs the real stack: Node, PostgreSQL, Supabase Lite.
    pub needs_stack: bool,
    run: fn(Size, &mut Notes) -> Result<()>,
}

impl Bench {
    /// Runs it.
    ///
    /// # Errors
    /// If any subject fails, or does not do the work that is timed.
    pub fn run(&self, size: Size, notes: &mut Notes) -> Result<()> {
        (self.run)(size, notes)
    }
}

const fn alone(name: &'static str, run: fn(Size, &mut Notes) -> Result<()>) -> Bench {
    Bench { name, needs_stack: false, run }
}

const fn on_the_stack(name: &'static str, run: fn(Size, &mut Notes) -> Result<()>) -> Bench {
    Bench { name, needs_stack: true, run }
}

/// All benches, in the order of the report.
pub const BENCHES: &[Bench] = &[
    alone("apply", applying::run),
    alone("load", loading::run),
    alone("send", sending::run),
    alone("watch", watching::run),
    alone("hear", hearing::run),
    alone("crowd", crowd::run),
    alone("list", reading::list),
    alone("window", reading::window),
    alone("search", searching::run),
    alone("timeline", timeline::run),
    alone("memory", memory::run),
    alone("import", importing::run),
    alone("instructions", instructions::run),
    #[cfg(feature = "encryption")]
    alone("keys", keys::run),
    on_the_stack("decode", decoding::run),
    on_the_stack("pull", pulling::first),
    on_the_stack("again", pulling::again),
    on_the_stack("drain", draining::run),
    on_the_stack("meanwhile", meanwhile::run),
    on_the_stack("records", records::run),
    on_the_stack("serve", serving::run),
];
