//! What a planted bug is: changes to the SQL, and the test that must notice.

use std::fmt;

/// A guarantee undone, and the test that must notice.
pub(super) struct Bug {
    pub(super) name: String,
    pub(super) plants: Vec<Plant>,
    pub(super) proof: Proof,
}

/// One change to the SQL.
#[derive(Clone)]
pub(super) enum Plant {
    /// In the file whose name ends with `_<file>.sql`.
    Replace { file: &'static str, find: &'static str, with: &'static str },
    /// After all files.
    Sql(String),
}

/// A test, named by its file in `tests/supabase` and the beginning of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Proof {
    pub(super) file: &'static str,
    pub(super) test: &'static str,
    /// It makes its databases itself.
    pub(super) own_database: bool,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.file.trim_end_matches(".test.mjs"), self.test)
    }
}

pub(super) fn bug<const N: usize>(name: &str, proof: Proof, plants: [Plant; N]) -> Bug {
    Bug { name: name.to_owned(), plants: plants.into(), proof }
}

pub(super) const fn replace(file: &'static str, find: &'static str, with: &'static str) -> Plant {
    Plant::Replace { file, find, with }
}

pub(super) fn sql(text: &str) -> Plant {
    Plant::Sql(text.to_owned())
}

pub(super) fn drop_trigger(table: &str, name: &str) -> Plant {
    sql(&format!("drop trigger zz_fieldpost_{name} on public.{table}"))
}
