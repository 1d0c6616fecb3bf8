//! The declared tables of a command line: the clinical ones, or those of a file.

use crate::failure::Failure;
use fieldpost::records::{RecordTable, clinical_tables};
use std::{fs, path::Path};

/// The word for the clinical tables in place of a file.
pub(crate) const CLINICAL: &str = "clinical";

/// The declarations in a file: a JSON list of tables.
pub(crate) fn read(path: &Path) -> Result<Vec<RecordTable>, Failure> {
    if path == Path::new(CLINICAL) {
        return Ok(clinical_tables());
    }
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read the declarations in {}: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("the declarations in {} cannot be read: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_survive_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables.json");
        fs::write(&path, serde_json::to_string(&clinical_tables()).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap(), clinical_tables());
        assert_eq!(read(Path::new(CLINICAL)).unwrap(), clinical_tables());
        fs::write(&path, "[{}]").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("cannot be read"));
    }
}
