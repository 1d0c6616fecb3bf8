//! What failed, said once more at the end: the output before it is long, and where a change waits for it (CI) often cut.

use crate::bindings::Tally;

/// The lines of one failure that are kept. Its reason is among the first.
const OF_ONE: usize = 60;
/// The lines of all failures that are kept.
const OF_ALL: usize = 400;

/// The lines that tell of failures, picked out of what the runners print.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// What is running now.
    source: String,
    /// Where the lines are that come now, if they tell of a failure.
    inside: Option<Part>,
    kept: Vec<String>,
    left_out: usize,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    ends: fn(&str) -> bool,
    lines: usize,
}

impl Failures {
    /// Names what runs from now on.
    pub(super) fn source(&mut self, name: &str) {
        name.clone_into(&mut self.source);
        self.inside = None;
    }

    /// Keeps the line, if it tells of a failure.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(ends) = start(line) {
            self.inside = Some(Part { ends, lines: 0 });
            self.keep(&format!("── {}: {}", self.source, line.trim()));
            return;
        }
        let Some(mut part) = self.inside else { return };
        if (part.ends)(line) {
            self.inside = None;
            return;
        }
        // Rust's runner tells of all failures of a binary in one block, each below its name.
        part.lines = if line.starts_with("---- ") { 1 } else { part.lines + 1 };
        self.inside = Some(part);
        if part.lines <= OF_ONE {
            self.keep(line);
        } else {
            self.left_out += 1;
        }
    }

    fn keep(&mut self, line: &str) {
        if self.kept.len() < OF_ALL {
            self.kept.push(line.to_owned());
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.left_out += other.left_out;
        for line in other.kept {
            self.keep(&line);
        }
    }

    pub(super) fn print(&self) {
        if !self.kept.is_empty() {
            println!("\nwhat failed");
        }
        for line in &self.kept {
            println!("  {line}");
        }
        if self.left_out > 0 {
            println!("  and {} lines more, above", self.left_out);
        }
    }
}

/// Whether a failure is told from this line on, and how the line is known that ends it.
fn start(line: &str) -> Option<fn(&str) -> bool> {
    let trimmed = line.trim_start();
    // Rust's runner tells of a test that failed under its name. It shows the output of those that passed in the same way, before.
    if line == "failures:" {
        return Some(|line| line.starts_with("test result: "));
    }
    let is_planned = || ["# SKIP", "# TODO"].iter().any(|mark| trimmed.contains(mark));
    if trimmed.starts_with("not ok ") && !is_planned() {
        return Some(|line| line.trim() == "...");
    }
    if line.starts_with("FAILED in ") {
        return Some(|line| Tally::read(line).is_some());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Failures {
        let mut failures = Failures::default();
        failures.source("sync engine");
        lines.lines().for_each(|line| failures.read(line));
        failures
    }

    #[test]
    fn of_rusts_runner_the_output_and_the_names_of_failed_tests_are_kept() {
        let told = "test a ... ok\ntest b ... FAILED\n\nsuccesses:\n\n---- a stdout ----\nfine\n\nfailures:\n\n\
            ---- b stdout ----\npanicked at b.rs:1: left 1, right 2\n\ntest result: FAILED. 1 passed; 1 failed\nlater";
        let kept = read(told).kept;
        assert_eq!(kept[0], "── sync engine: failures:");
        assert!(kept.contains(&"panicked at b.rs:1: left 1, right 2".to_owned()));
        assert!(!kept.iter().any(|line| line.contains("fine") || line.contains("later")), "{kept:?}");
    }

    #[test]
    fn of_nodes_runner_the_reason_is_kept_and_what_is_skipped_is_none() {
        let told = "ok 1 - a\n    not ok 2 - b\n      ---\n      error: 'left'\n      ...\nnot ok 3 - c # SKIP no network\n\
            ok 4 - d";
        assert_eq!(read(told).kept, ["── sync engine: not ok 2 - b", "      ---", "      error: 'left'"]);
    }

    #[test]
    fn of_the_bindings_the_step_is_kept() {
        let told =
            "FAILED in Kotlin: Live, typing\nnothing came\n\nbindings in all: 1 passed, 1 failed, 0 skipped\nlater";
        assert_eq!(read(told).kept, ["── sync engine: FAILED in Kotlin: Live, typing", "nothing came", ""]);
    }

    #[test]
    fn a_failure_that_says_much_does_not_hide_the_next_one() {
        let many = "line\n".repeat(1000);
        let kept =
            read(&format!("failures:\n\n---- a stdout ----\n{many}\n---- b stdout ----\nthe reason of b\n")).kept;
        assert!(kept.contains(&"the reason of b".to_owned()));
    }

    #[test]
    fn much_output_is_counted_and_left_out() {
        let many = "line\n".repeat(1000);
        let mut failures = read(&format!("failures:\n{many}"));
        assert_eq!((failures.kept.len(), failures.left_out), (OF_ONE + 1, 1000 - OF_ONE));
        for _ in 0..10 {
            failures.extend(read(&format!("failures:\n{many}")));
        }
        assert_eq!(failures.kept.len(), OF_ALL);
        assert_eq!(failures.kept.len() + failures.left_out, 11 * 1001);
    }
}
