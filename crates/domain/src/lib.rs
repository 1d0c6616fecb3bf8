//! The words of Fieldpost as types: no I/O, no async.
