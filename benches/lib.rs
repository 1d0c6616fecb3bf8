//! Benchmarks of Fieldpost: `cargo bench -p fieldpost-benches`.
//!
//! Each measures the SQLite store and the in-memory reference in the same run, so that what matters is their ratio: bare times
//! of a shared machine say little.
