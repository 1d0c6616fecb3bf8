//! The bugs, and what catches each.

use std::fmt;

/// A guarantee undone, and the test that must notice.
pub(super) struct Bug {
    pub(super) name: String,
    pub(super) plants: Vec<Plant>,
    pub(super) proof: Proof,
}

/// One change to the SQL.
pub(super) enum Plant {
    /// In the file whose name ends with `_fieldpost_<file>.sql`.
    Replace { file: &'static str, find: &'static str, with: &'static str },
    /// After all files.
    Sql(String),
}

/// A test, named by its file in `tests/supabase` and the beginning of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Proof {
    pub(super) file: &'static str,
    pub(super) test: &'static str,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.file.trim_end_matches(".test.mjs"), self.test)
    }
}

const fn proof(file: &'static str, test: &'static str) -> Proof {
    Proof { file, test }
}

const IDLE: Proof = proof("feed.test.mjs", "a transaction that idles elsewhere");
const MID_PASS: Proof = proof("first_load.test.mjs", "a row that changes in the middle of a pass");
const HARD_DELETE: Proof = proof("access.test.mjs", "a hard delete is a tombstone");

pub(super) fn bugs() -> Vec<Bug> {
    vec![
        bug(
            "the snapshot of a cursor is a plain xmin horizon",
            IDLE,
            [replace("cursor", "pg_is_in_recovery() then format(", "true then format(")],
        ),
        bug(
            "the end of a pass moves with every page",
            MID_PASS,
            [replace("pull", "f.to_ := fieldpost.snapshot_of(v_part[5]);", "")],
        ),
        bug(
            "no tombstone of a message",
            HARD_DELETE,
            [sql("drop trigger zz_fieldpost_after_delete on public.messages")],
        ),
    ]
}

fn bug<const N: usize>(name: &str, proof: Proof, plants: [Plant; N]) -> Bug {
    Bug { name: name.to_owned(), plants: plants.into(), proof }
}

const fn replace(file: &'static str, find: &'static str, with: &'static str) -> Plant {
    Plant::Replace { file, find, with }
}

fn sql(text: &str) -> Plant {
    Plant::Sql(text.to_owned())
}
