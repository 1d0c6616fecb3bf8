//! Properties that must hold for any bytes: decoding does not panic, drops no row silently, and reads back what was
//! written.
//!
//! Each function here is one property. `tests/fuzz` feeds them a fuzzer's inputs (`cargo xtask fuzz`);
//! `tests/tests/fuzz` feeds them the corpus and some hundreds of generated inputs with every test run, so that they
//! stay in use.

mod answers;
mod requests;
mod rows;
mod stored;

pub use answers::answers;
pub use requests::requests;
pub use rows::rows;
pub use stored::stored;

/// A property; it bears the name of its target.
pub type Property = fn(&[u8]);

/// All properties, with the names of their targets and corpora.
pub const ALL: [(&str, Property); 4] =
    [("answers", answers), ("requests", requests), ("rows", rows), ("stored", stored)];
