//! Tells what happens, and checks that it did.

use crate::{failure::Failure, output::Output};
use std::fmt::Debug;

/// The narrator.
#[derive(Debug, Clone)]
pub(super) struct Story {
    output: Output,
}

impl Story {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }

    /// Starts a chapter.
    pub(super) fn chapter(&self, title: &str) {
        self.output.tell(&format!("\n{title}"));
    }

    /// Prints a sentence.
    pub(super) fn say(&self, text: &str) {
        self.output.tell(&format!("  {text}"));
    }

    /// A claim of the story that must hold.
    #[expect(clippy::unused_self, reason = "a claim is part of the story")]
    pub(super) fn claim<T: PartialEq + Debug>(&self, what: &str, actual: T, expected: T) -> Result<(), Failure> {
        if actual == expected {
            return Ok(());
        }
        Err(Failure::error(format!("the demo's claim does not hold: {what}: {actual:?} instead of {expected:?}")))
    }
}
