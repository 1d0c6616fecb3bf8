//! A planted bug: changes to the SQL, and the test that must catch it.

use std::fmt;

/// A removed guarantee, and the test that must catch it.
pub(super) struct Bug {
    pub(super) name: String,
    pub(super) plants: Vec<Plant>,
    pub(super) proof: Proof,
}

/// One change to the SQL.
#[derive(Clone)]
pub(super) enum Plant {
    /// Replaces text in one definition.
    Replace { within: Within, find: &'static str, with: &'static str },
    /// Runs SQL after all files.
    Sql(String),
}

/// The definition whose text is replaced, in any file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Within {
    /// A function, with its schema.
    Function(&'static str),
    /// The anonymous block that contains the text.
    Block,
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(name) => f.write_str(name),
            Self::Block => f.write_str("the block"),
        }
    }
}

/// A test, named by its file in `tests/supabase` and the beginning of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Proof {
    pub(super) file: &'static str,
    pub(super) test: &'static str,
    /// It creates its databases itself.
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

pub(super) const fn replace(function: &'static str, find: &'static str, with: &'static str) -> Plant {
    Plant::Replace { within: Within::Function(function), find, with }
}

pub(super) const fn replace_in_block(find: &'static str, with: &'static str) -> Plant {
    Plant::Replace { within: Within::Block, find, with }
}

pub(super) fn sql(text: &str) -> Plant {
    Plant::Sql(text.to_owned())
}

pub(super) fn drop_trigger(table: &str, name: &str) -> Plant {
    sql(&format!("drop trigger zz_fieldpost_{name} on public.{table}"))
}
