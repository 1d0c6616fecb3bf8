//! What must hold of any bytes whatever: decoding does not panic, loses no row in silence, and reads back what was written.
//!
//! Each function here is one property. `tests/fuzz` feeds them what a fuzzer finds (`cargo xtask fuzz`); `tests/tests/fuzz`
//! feeds them the corpus and some hundreds of made-up inputs with every test run, so that they never rot.

mod answers;
mod requests;
mod rows;
mod stored;

pub use answers::answers;
pub use requests::requests;
pub use rows::rows;
pub use stored::stored;

/// A property by the name of its target.
pub type Property = fn(&[u8]);

/// All of them, with the names of their targets and corpora.
pub const ALL: [(&str, Property); 4] =
    [("answers", answers), ("requests", requests), ("rows", rows), ("stored", stored)];
