//! How far an import is.

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportProgress {
    /// The file is being copied.
    Copying,
    /// Its rows are being converted.
    Converting {
        /// Rows that are done.
        done: u64,
        /// All rows.
        total: u64,
    },
    /// The new file is being written out.
    Finishing,
}
