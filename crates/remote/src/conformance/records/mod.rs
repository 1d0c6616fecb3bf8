//! The suite for records: docs/protocol.md, "Records", sentence by sentence.
//!
//! It is built as the suite for messages is. [`records_conformance!`](crate::records_conformance) makes the tests; they
//! need a [`RecordsBackend`], which has these tables:
//!
//! - the four clinical ones ([`fieldpost_domain::records::clinical`]): every member of the org reads and writes the
//!   rows; admins and a row's author may delete it. `treatments.worker_id` refers to `workers`, and the row that is
//!   referred to cannot be deleted.
//! - [`visits`], a table of some project with rules of its own.

mod actor;
mod backend;

pub mod audit;
pub mod changes;
pub mod create;
pub mod delete;
pub mod load;
pub mod reference;
pub mod references;
pub mod refused;
pub mod retry;
pub mod session;
pub mod tenants;
pub mod update;

pub use actor::{Clerk, Loaded};
pub use backend::{Held, RecordAction, RecordsBackend, StoredAudit, visits};

include!(concat!(env!("OUT_DIR"), "/record_stories.rs"));

/// Turns every story about records into one `#[tokio::test]`. The expression creates a [`RecordsBackend`].
#[macro_export]
macro_rules! records_conformance {
    ($backend:expr) => {
        $crate::records_conformance_list! { $backend }
    };
}

/// One module of tests; see [`records_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! records_conformance_group {
    ($made:expr; $area:ident: $(RecordsBackend $story:ident,)*) => {
        mod $area {
            #[allow(unused_imports, reason = "the expression may name anything of the module that calls the macro")]
            use super::*;
            $(
                #[tokio::test]
                async fn $story() {
                    let backend = $made;
                    let verdict = $crate::conformance::records::$area::$story(&backend).await;
                    $crate::conformance::conclude(concat!("records::", stringify!($area), "::", stringify!($story)), verdict);
                }
            )*
        }
    };
}
