//! Prints for people or for programs.
//!
//! Whatever is printed for people goes through [`harmless`], so that no text of anybody steers the terminal. JSON is printed
//! as it is: JSON has its own escapes.
//!
//! A reader that closes the pipe (`| head`) has what it wanted. From then on nothing is printed, and the command goes on
//! to its end: what it was to send is sent, and its exit code is its own.

use crate::{failure::Failure, terminal::harmless};
use fieldpost::{ImportProgress, KeyProgress, Status};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use std::{
    fmt,
    io::{self, IsTerminal, Write, stderr, stdout},
    process::ExitCode,
    sync::{Arc, OnceLock},
};

/// The destination of a command's results.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    /// Why nothing is printed any more.
    closed: Arc<OnceLock<io::Error>>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, closed: Arc::default() }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result: the value for programs, the text for people.
    pub(crate) fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            // Every value passed here consists of strings, numbers and maps with string keys, so it always has a JSON
            // form.
            self.print(format_args!("{}\n", serde_json::to_string(value).unwrap_or_default()));
        } else {
            self.print(format_args!("{}\n", harmless(&text())));
        }
    }

    /// As [`Output::result`], for people in parts of which some are emphasised: in bold, on a terminal.
    pub(crate) fn emphasised(&self, value: &impl Serialize, parts: impl FnOnce() -> Vec<(String, bool)>) {
        if self.json {
            return self.result(value, String::new);
        }
        let styled = console::Term::stdout().is_term() && console::colors_enabled();
        let line: String = parts()
            .iter()
            .map(|(part, bold)| {
                let part = harmless(part);
                if *bold && styled { console::Style::new().bold().apply_to(part).to_string() } else { part }
            })
            .collect();
        self.print(format_args!("{line}\n"));
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    fn print(&self, text: fmt::Arguments<'_>) {
        if self.is_closed() {
            return;
        }
        let mut stdout = stdout().lock();
        if let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) {
            // It is set once: what came first is why.
            let _ = self.closed.set(error);
        }
    }

    /// Prints text for another program, unchanged.
    pub(crate) fn raw(&self, text: &str) {
        self.print(format_args!("{text}"));
    }

    /// Prints something for people only.
    pub(crate) fn tell(&self, text: &str) {
        if !self.json {
            self.print(format_args!("{}\n", harmless(text)));
        }
    }

    /// Says something beside the results, on standard error; programs read it there too.
    pub(crate) fn note(&self, text: &str) {
        // Where nobody reads standard error there is nobody to tell.
        let _ = writeln!(stderr(), "fieldpost: {}", harmless(text));
    }

    /// Ends a command that succeeded. An output that could not be written is a failure, but a reader that has enough is not.
    pub(crate) fn end(&self) -> ExitCode {
        match self.closed.get() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.note(&format!("the output could not be written: {error}"));
                ExitCode::FAILURE
            }
            _ => ExitCode::SUCCESS,
        }
    }

    /// Prints the failure of a command.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        let kind = failure.kind();
        if self.json {
            self.print(format_args!("{}\n", json!({"error": {"code": kind.name(), "message": failure.to_string()}})));
        } else {
            self.note(&failure.to_string());
        }
        ExitCode::from(kind.exit_code())
    }

    /// A progress bar for a first load; hidden for programs and without a terminal.
    pub(crate) fn progress(&self) -> FirstLoadBar {
        let visible = !self.json && stderr().is_terminal();
        FirstLoadBar { bar: visible.then(ProgressBar::no_length) }
    }

    /// A progress bar for the index of a search; hidden likewise.
    pub(crate) fn index_bar(&self) -> IndexBar {
        let visible = !self.json && stderr().is_terminal();
        IndexBar { bar: visible.then(ProgressBar::no_length) }
    }

    /// A progress bar for a change of key; hidden likewise.
    pub(crate) fn key_bar(&self) -> KeyBar {
        let visible = !self.json && stderr().is_terminal();
        KeyBar { bar: visible.then(ProgressBar::no_length) }
    }

    /// A progress bar for an import; hidden likewise.
    pub(crate) fn import_bar(&self) -> ImportBar {
        let visible = !self.json && stderr().is_terminal();
        ImportBar { bar: visible.then(ProgressBar::no_length) }
    }
}

/// Shows the progress of a change of key.
pub(crate) struct KeyBar {
    bar: Option<ProgressBar>,
}

impl KeyBar {
    pub(crate) fn show(&self, progress: KeyProgress) {
        let Some(bar) = &self.bar else { return };
        if bar.length().is_none() {
            bar.set_style(
                ProgressStyle::with_template("Writing [{bar:32}] {bytes}/{total_bytes}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
        }
        bar.set_length(progress.total);
        bar.set_position(progress.written);
    }

    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows how many messages are not indexed yet.
pub(crate) struct IndexBar {
    bar: Option<ProgressBar>,
}

impl IndexBar {
    pub(crate) fn show(&self, left: u64) {
        let Some(bar) = self.bar.as_ref().filter(|bar| left > 0 || bar.length().is_some()) else { return };
        if bar.length().is_none() {
            bar.set_style(
                ProgressStyle::with_template("Index [{bar:32}] {pos}/{len} messages")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_length(left);
        }
        bar.set_position(bar.length().unwrap_or(left).saturating_sub(left));
    }

    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows the progress of an import.
#[derive(Clone)]
pub(crate) struct ImportBar {
    bar: Option<ProgressBar>,
}

impl ImportBar {
    pub(crate) fn show(&self, progress: ImportProgress) {
        let (Some(bar), ImportProgress::Converting { done, total }) = (&self.bar, progress) else {
            return;
        };
        if bar.length().is_none() {
            bar.set_style(
                ProgressStyle::with_template("Import [{bar:32}] {pos}/{len} rows")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
        }
        bar.set_length(total);
        bar.set_position(done);
    }

    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
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
