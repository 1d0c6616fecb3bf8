//! The history of the local Fieldpost database, version 4 and up.
