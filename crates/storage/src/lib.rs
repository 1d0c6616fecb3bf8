//! The storage contract of Fieldpost, its reference implementation and its conformance suite.
