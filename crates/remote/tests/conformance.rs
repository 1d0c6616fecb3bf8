//! The reference server passes its own suite.
#![cfg(feature = "conformance")]

use fieldpost_remote::conformance::reference::ReferenceBackend;

fieldpost_remote::remote_conformance!(ReferenceBackend::default());

#[cfg(feature = "records")]
mod records {
    fieldpost_remote::records_conformance!(fieldpost_remote::conformance::records::reference::backend());
}
