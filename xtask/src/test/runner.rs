//! Runs a program that runs tests, shows what it says, and counts.

use super::failures::Failures;
use anyhow::{Context, Result};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// Where the lines of runs go.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// What is kept until the runs are over, if something else writes to the terminal meanwhile.
    kept: Option<Vec<String>>,
    pub(super) failures: Failures,
}

impl Output {
    /// To the terminal, as the lines come.
    pub(super) fn live() -> Self {
        Self::default()
    }

    /// Kept until the runs are over.
    pub(super) fn kept() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    /// Says what runs from now on.
    pub(super) fn begin(&mut self, name: &str) {
        self.failures.source(name);
        self.line(format!("── {name}"));
    }

    fn show(&mut self, line: String) {
        self.failures.read(&line);
        self.line(line);
    }

    fn line(&mut self, line: String) {
        match &mut self.kept {
            Some(lines) => lines.push(line),
            None => println!("{line}"),
        }
    }

    /// Prints what was kept, and gives what failed.
    pub(super) fn print(self) -> Failures {
        for line in self.kept.into_iter().flatten() {
            println!("{line}");
        }
        self.failures
    }
}

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    /// Signed, so that a test can be subtracted that passed and then turns out to have been skipped.
    pub(crate) passed: i64,
    pub(crate) failed: i64,
    pub(crate) ignored: i64,
}

/// Runs a command, shows its output, and adds up the summaries in it.
pub(super) fn run_and_count(
    command: &mut Command,
    output: &mut Output,
    mut summary: impl FnMut(&str) -> Option<Counts>,
) -> Result<Counts> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let stdout = child.stdout.take().context("no output")?;
    let mut counts = Counts::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        if let Some(found) = summary(&line) {
            counts = counts.plus(found);
        }
        output.show(line);
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        // It died without a summary, or failed before the first test.
        counts.failed = 1;
    }
    Ok(counts)
}

/// `test result: ok. 19 passed; 0 failed; 0 ignored; …`
pub(super) fn rust_summary(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        rest.split(['.', ';']).find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok()).unwrap_or(0)
    };
    Some(Counts { passed: number("passed"), failed: number("failed"), ignored: number("ignored") })
}

/// `# pass 12`, `# fail 0`, `# skipped 0`
pub(super) fn node_summary(line: &str) -> Option<Counts> {
    let (word, number) = line.strip_prefix("# ")?.split_once(' ')?;
    let number = number.trim().parse().ok()?;
    match word {
        "pass" => Some(Counts { passed: number, ..Counts::default() }),
        "fail" | "cancelled" => Some(Counts { failed: number, ..Counts::default() }),
        "skipped" | "todo" => Some(Counts { ignored: number, ..Counts::default() }),
        _ => None,
    }
}

impl Counts {
    /// If the output was misread, or the runner died midway, the counts differ from the list.
    pub(super) fn of(self, listed: i64) -> Self {
        let counted = self.passed + self.failed + self.ignored;
        if counted == listed {
            return self;
        }
        println!("{listed} tests are listed, and {counted} were counted");
        Self { failed: self.failed.max(1), ..self }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_both_runners_are_read() {
        let rust =
            rust_summary("test result: FAILED. 19 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out").unwrap();
        assert_eq!((rust.passed, rust.failed, rust.ignored), (19, 2, 1));
        assert_eq!(node_summary("# pass 12").unwrap().passed, 12);
        assert!(node_summary("# Subtest: fail 3").is_none());
    }

    #[test]
    fn a_binary_that_counts_other_tests_than_it_lists_has_failed() {
        let counts = Counts { passed: 3, failed: 0, ignored: 1 };
        assert_eq!(counts.of(4).failed, 0);
        assert_eq!(counts.of(5).failed, 1);
    }
}
