//! The requirements of a run, checked before it starts instead of failing in the middle.

use super::sections::{Section, Stack};
use crate::{peers, supabase};
use std::process::{Command, Stdio};

/// A requirement of a bench that this repository does not contain.
struct Need {
    /// What it is, what it is for, and where to get it.
    name: &'static str,
    is_of: fn(&Section) -> bool,
    is_there: fn() -> bool,
}

const NEEDS: [Need; 4] = [
    Need {
        name: "Node 20 or newer (https://nodejs.org)",
        is_of: |section| section.stack != Stack::Unused || runs_peers(section),
        is_there: supabase::node_is_there,
    },
    Need {
        name: "npm, which comes with Node, for RxDB, supabase-js and the seed algorithm",
        is_of: runs_peers,
        is_there: || peers::packages_are_installed() || answers("npm"),
    },
    Need {
        name: "libclang, to build the peer PowerSync (Debian: libclang-dev; or LIBCLANG_PATH)",
        is_of: runs_powersync,
        is_there: || peers::powersync_is_built() || peers::libclang_is_there(),
    },
    Need {
        name: "valgrind, to count instructions (Debian: valgrind)",
        is_of: |section| section.bench == "instructions",
        is_there: || answers("valgrind"),
    },
];

/// Benches that compare with packages of npm: RxDB, supabase-js, the seed algorithm.
pub(super) fn runs_peers(section: &Section) -> bool {
    ["hear", "pull", "again", "drain", "meanwhile", "records"].contains(&section.bench)
}

/// Benches that compare with PowerSync.
pub(super) fn runs_powersync(section: &Section) -> bool {
    section.bench == "load"
}

/// The missing requirements, each with the benches that need it.
pub(super) fn lacking(sections: &[&Section]) -> Vec<String> {
    lacks(sections, |need| (need.is_there)())
}

fn lacks(sections: &[&Section], is_there: impl Fn(&Need) -> bool) -> Vec<String> {
    let line = |need: &Need| {
        let of: Vec<_> = sections.iter().filter(|section| (need.is_of)(section)).map(|section| section.bench).collect();
        let lacks = !of.is_empty() && !is_there(need);
        lacks.then(|| format!("{}: needed by {}", need.name, of.join(", ")))
    };
    NEEDS.iter().filter_map(line).collect()
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
        let lines = lacks(&wanted(&["load", "pull", "again"]), |need| need.name.starts_with("Node"));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].ends_with("needed by pull, again") && lines[1].ends_with("needed by load"), "{lines:?}");
    }

    #[test]
    fn nothing_is_asked_for_that_the_wanted_benches_do_not_need() {
        assert!(lacks(&wanted(&["apply", "send"]), |_| false).is_empty());
        assert!(lacks(&wanted(&["load", "pull", "instructions"]), |_| true).is_empty());
    }
}
