//! Records: offline tables of the app's own, and the clinical ones ([`fieldpost::records`]).
//!
//! The fields of a record travel as the JSON object that they are: each app has other ones.

mod audit;
mod context;
mod decisions;
mod declaring;
mod handle;
mod watching;

pub use audit::*;
pub use context::*;
pub use decisions::*;
pub use declaring::*;
pub use handle::*;
pub use watching::*;

use crate::{ErrorKind, FieldpostError, Result};
use fieldpost::records::Fields;

fn fields(json: &str) -> Result<Fields> {
    serde_json::from_str(json)
        .map_err(|_| FieldpostError::new(ErrorKind::InvalidRecord, "the fields of a record are a JSON object"))
}

fn fields_text(fields: &Fields) -> String {
    // Fields from the store are always JSON.
    serde_json::to_string(fields).unwrap_or_default()
}
