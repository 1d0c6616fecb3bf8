//! Benchmarks of Fieldpost.
