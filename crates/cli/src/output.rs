//! Prints for people or for programs.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place of the tool that prints")]

use crate::failure::Failure;
use fieldpost::Status;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
};

/// The destination of a command's results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result: the value for programs, the text for people.
    pub(crate) fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            // Every value passed here consists of strings, numbers and maps with string keys, so it always has a JSON
            // form.
            println!("{}", serde_json::to_string(value).unwrap_or_default());
        } else {
            println!("{}", text());
        }
    }

    /// Prints text for another program, unchanged.
    pub(crate) fn raw(&self, text: &str) {
        print!("{text}");
    }

    /// Prints something for people only.
    pub(crate) fn tell(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    /// Prints the failure of a command.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        let kind = failure.kind();
        if self.json {
            println!("{}", json!({"error": {"code": kind.name(), "message": failure.to_string()}}));
        } else {
            eprintln!("fieldpost: {failure}");
        }
        ExitCode::from(kind.exit_code())
    }

    /// A progress bar for a first load; hidden for programs and without a terminal.
    pub(crate) fn progress(&self) -> FirstLoadBar {
        let visible = !self.json && stderr().is_terminal();
        FirstLoadBar { bar: visible.then(ProgressBar::no_length) }
    }
}

/// Shows the progress of a first load.
pub(crate) struct FirstLoadBar {
    bar: Option<ProgressBar>,
}

impl FirstLoadBar {
    pub(crate) fn show(&self, status: &Status) {
        let (Some(bar), Some(progress)) = (&self.bar, status.bootstrap) else {
            return;
        };
        if let Some(total) = progress.total {
            if bar.length().is_none() {
                bar.set_style(
                    ProgressStyle::with_template("First load [{bar:32}] {pos}/{len} conversations")
                        .unwrap_or_else(|_| ProgressStyle::default_bar()),
                );
            }
            bar.set_length(total);
        }
        bar.set_position(progress.done);
    }

    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
