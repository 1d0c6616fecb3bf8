//! The requirements of a run, checked before it starts instead of failing in the middle.

use super::sections::{Section, Stack};
use crate::{peers, supabase};
use std::{
    fmt,
    process::{Command, Stdio},
};

/// A requirement of a bench that this repository does not contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// The stack, and the peers that run on it.
    Node,
    /// To install the peers that run on Node.
    Npm,
    /// To build PowerSync, for its bindings.
    Libclang,
    /// To count instructions.
    Valgrind,
}

impl Need {
    const ALL: [Self; 4] = [Self::Node, Self::Npm, Self::Libclang, Self::Valgrind];

    fn is_of(self, section: &Section) -> bool {
        match self {
            Self::Node => section.stack != Stack::Unused || runs_peers(section),
            Self::Npm => runs_peers(section),
            Self::Libclang => runs_powersync(section),
            Self::Valgrind => section.bench == "instructions",
        }
    }

    fn is_there(self) -> bool {
        match self {
            Self::Node => supabase::node_is_there(),
            Self::Npm => peers::packages_are_installed() || answers("npm"),
            Self::Libclang => peers::powersync_is_built() || peers::libclang_is_there(),
            Self::Valgrind => answers("valgrind"),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "Node 20 or newer (https://nodejs.org)",
            Self::Npm => "npm, which comes with Node, for RxDB and the seed algorithm",
            Self::Libclang => "libclang, to build the peer PowerSync (Debian: libclang-dev; or LIBCLANG_PATH)",
            Self::Valgrind => "valgrind, to count instructions (Debian: valgrind)",
        })
    }
}

/// Benches that compare with RxDB and the seed algorithm.
pub(super) fn runs_peers(section: &Section) -> bool {
    ["pull", "again", "drain"].contains(&section.bench)
}

/// Benches that compare with PowerSync.
pub(super) fn runs_powersync(section: &Section) -> bool {
    section.bench == "load"
}

/// The missing requirements, each with the benches that need it.
pub(super) fn lacking(sections: &[&Section]) -> Vec<String> {
    lacks(sections, Need::is_there)
}

fn lacks(sections: &[&Section], is_there: impl Fn(Need) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    for need in Need::ALL {
        let of: Vec<_> = sections.iter().filter(|section| need.is_of(section)).map(|section| section.bench).collect();
        if !of.is_empty() && !is_there(need) {
            lines.push(format!("{need}: needed by {}", of.join(", ")));
        }
    }
    lines
}

fn answers(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench_report::sections::SECTIONS;

    fn wanted(benches: &[&str]) -> Vec<&'static Section> {
        SECTIONS.iter().filter(|section| benches.contains(&section.bench)).collect()
    }

    #[test]
    fn what_a_machine_lacks_is_said_with_the_benches_that_need_it() {
        let lines = lacks(&wanted(&["load", "pull", "again"]), |need| need == Need::Node);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].ends_with("needed by pull, again") && lines[1].ends_with("needed by load"), "{lines:?}");
    }

    #[test]
    fn nothing_is_asked_for_that_the_wanted_benches_do_not_need() {
        assert!(lacks(&wanted(&["apply", "send"]), |_| false).is_empty());
        assert!(lacks(&wanted(&["load", "pull", "instructions"]), |_| true).is_empty());
    }
}
