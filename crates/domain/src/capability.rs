//! What a server or a client can do beyond protocol 1.

use crate::open_enum::open_enum;
use std::collections::BTreeSet;

open_enum!(
    /// A feature that a server or a client has beyond protocol 1, by its name on the wire (listed in docs/protocol.md).
    #[non_exhaustive]
    Capability {
        /// The digest of the visible conversations is a set digest, which can be updated incrementally.
        SetDigest => "set_digest",
        /// A page says which parts of a thread it covers completely.
        Ranges => "ranges",
        /// Messages carry mentions and the time of their last edit, and their author can edit them.
        EditMessage => "edit_message",
        /// A message can be deleted: by its author, and by an admin.
        DeleteMessage => "delete_message",
        /// A conversation says how many unread messages mention the caller.
        MentionsCount => "mentions_count",
        /// People can react to messages: `react`, and rows of `reactions` in pages.
        Reactions => "reactions",
        /// People can report messages to the admins of their org: `report_message`, `fieldpost_reports` and
        /// `fieldpost_resolve_report`.
        Reports => "reports",
        /// A device says what has reached it.
        MarkDelivered => "mark_delivered",
        /// A person's own settings for a conversation: muted, pinned, archived, marked unread.
        ConversationSettings => "conversation_settings",
        /// A request may name the most bytes of its page, for a slow line.
        PageBytes => "page_bytes",
        /// The server searches its history: `fieldpost_search`. The operator switches it on.
        SearchServer => "search_server",
        /// Tables of an app's own: `fieldpost_records_push`, `fieldpost_records_pull` and `fieldpost_audit_push`.
        Records => "records",
        /// The server tells of changes as they are committed, by hints over Supabase Realtime.
        Live => "live",
        /// A push may carry the cursor, and its answer says whether nothing else has changed since: then no pull follows.
        QuietPush => "quiet_push",
    }
);

/// What one side can do.
pub type Capabilities = BTreeSet<Capability>;
