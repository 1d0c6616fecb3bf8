//! What a server or a client can do beyond protocol 1.

use crate::open_enum::open_enum;
use std::collections::BTreeSet;

open_enum!(
    /// One thing that a server or a client can do beyond protocol 1, by its name on the wire (docs/protocol.md lists them).
    #[non_exhaustive]
    Capability {
        /// The digest of the visible conversations is one of a set, and can be kept up.
        SetDigest => "set_digest",
        /// A page says which parts of a thread it covers whole.
        Ranges => "ranges",
        /// Mentions travel with a message, and it says when it was edited; its author can edit it.
        EditMessage => "edit_message",
    }
);

/// What one side can do.
pub type Capabilities = BTreeSet<Capability>;
