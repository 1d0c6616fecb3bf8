//! Paths of files, as they come in.

use crate::{FieldpostError, Result};

/// No system has longer ones.
const LONGEST: usize = 32_767;

/// What is no path of a file, and what SQLite takes for something else, is refused before anything is made.
pub(crate) fn path(text: String) -> Result<String> {
    let fault = match text.as_str() {
        "" => "the path of the file is empty",
        path if path.contains('\0') => "the path of the file has a zero byte",
        path if path.len() > LONGEST => "the path of the file is too long",
        path if path == ":memory:" || path.starts_with("file:") => "the path must be one of a file, and no URI",
        _ => return Ok(text),
    };
    Err(FieldpostError::argument(fault))
}
