//! The remote contract of Fieldpost, its reference server and its conformance suite.
