//! The role that lists conversations.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, ConversationKind, MedicId, Omitted, OrgId, Seq, Settings, TextPart, Time};

/// A conversation as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSummary {
    /// The id; it becomes the canonical one once the server has assigned that.
    pub id: ConversationId,
    /// Its org.
    pub org_id: OrgId,
    /// Its kind, which decides who takes part.
    pub kind: ConversationKind,
    /// The name that the signed-in person sees ([`fieldpost_domain::names::participant_name`]).
    pub participant_name: String,
    /// The subject of a broadcast.
    pub subject: Option<String>,
    /// Set if the subject was above its limit.
    pub omitted: Option<Omitted>,
    /// The medic of a direct conversation.
    pub medic_id: Option<MedicId>,
    /// When it was created: by the server's clock, or by the device clock while its open is queued. The list is ordered
    /// by it where there is no [`ConversationSummary::last_message_at`].
    pub created_at: Time,
    /// When its newest message was created: by the server's clock, or by the device clock for a queued message.
    pub last_message_at: Option<Time>,
    /// The preview of its newest message, including queued ones ([`fieldpost_domain::preview`]); none if that was
    /// deleted.
    pub last_message_preview: Option<String>,
    /// How many messages of others, not deleted, are above the signed-in person's read marker; or from
    /// [`Settings::unread_from`] on, if that is lower.
    ///
    /// If the stored range reaches from the marker to the `last_seq` of the server's last answer, the store counts
    /// them. Otherwise it takes the server's count and subtracts reads that the server does not know yet; the result is
    /// at most the number of seqs that may be unread. It is zero when the marker is at the highest known seq.
    pub unread: u64,
    /// How many of these mention the signed-in person. Counted by the same rule; where local history is partial, it is
    /// at least what is here and at most what the server says.
    pub unread_mentions: u64,
    /// The highest known seq.
    pub last_seq: Seq,
    /// Whether the server has it. False while its open is queued.
    pub on_server: bool,
    /// What the signed-in person has set, including what is queued.
    pub settings: Settings,
    /// Whether a message of somebody else came after the conversation was archived. False if it is not archived.
    pub revived: bool,
    /// The first line of the draft, if there is one ([`crate::StoredDraft::first_line`]).
    pub draft: Option<String>,
}

impl ConversationSummary {
    /// Whether it is muted at this moment.
    #[must_use]
    pub fn is_muted(&self, now: Time) -> bool {
        self.settings.is_muted(now)
    }

    /// Whether it is in the archive at this moment: archived, and nothing new of somebody else since, or muted.
    #[must_use]
    pub fn is_archived(&self, now: Time) -> bool {
        self.settings.is_archived(self.revived, now)
    }

    /// Whether the person has marked it as unread.
    #[must_use]
    pub const fn is_marked_unread(&self) -> bool {
        self.settings.unread_from.is_some()
    }

    /// Its place in a list: pinned ones first, the latest pinned at the top; then the newest activity; ties by id.
    #[must_use]
    pub fn place(&self) -> (std::cmp::Reverse<Option<Time>>, std::cmp::Reverse<Time>, ConversationId) {
        use std::cmp::Reverse;
        (Reverse(self.settings.pinned_at), Reverse(self.last_message_at.unwrap_or(self.created_at)), self.id)
    }
}

/// Which conversations a list shows, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Only those with unread messages, or marked as unread.
    pub unread: bool,
    /// Only those of this kind.
    pub kind: Option<ConversationKind>,
    /// Only those in the archive, or only the others.
    pub archived: Option<bool>,
    /// Only muted ones, or only the others.
    pub muted: Option<bool>,
    /// Only those with this part in their name, subject or newest message.
    pub text: Option<TextPart>,
    /// At most this many, from the top.
    pub limit: u32,
    /// The moment, by which mutes end.
    pub now: Time,
}

impl ConversationFilter {
    /// All conversations.
    #[must_use]
    pub const fn all(now: Time) -> Self {
        Self { unread: false, kind: None, archived: None, muted: None, text: None, limit: u32::MAX, now }
    }

    /// Whether it leaves anything out, besides what is below its limit.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        let Self { unread, kind, archived, muted, text, limit: _, now: _ } = self;
        *unread || kind.is_some() || archived.is_some() || muted.is_some() || text.is_some()
    }

    /// Whether the list shows this conversation.
    #[must_use]
    pub fn matches(&self, line: &ConversationSummary) -> bool {
        (!self.unread || line.unread > 0 || line.is_marked_unread())
            && self.kind.as_ref().is_none_or(|kind| *kind == line.kind)
            && self.archived.is_none_or(|archived| archived == line.is_archived(self.now))
            && self.muted.is_none_or(|muted| muted == line.is_muted(self.now))
            && self.text.as_ref().is_none_or(|text| has(line, text))
    }
}

fn has(line: &ConversationSummary, text: &TextPart) -> bool {
    let shown = [Some(&line.participant_name), line.subject.as_ref(), line.last_message_preview.as_ref()];
    shown.into_iter().flatten().any(|shown| text.is_in(shown))
}

/// Lists conversations.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Conversations: Send + Sync {
    /// At most `limit` conversations: pinned ones first, the latest pinned at the top; then the newest activity, by
    /// `last_message_at`, else by `created_at`; then by id ([`ConversationSummary::place`];
    /// `pinned_conversations_come_first`).
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>>;

    /// The conversations that match a filter, in the same order (`a_filter_shows_what_matches_it`).
    async fn conversations_matching(&self, filter: &ConversationFilter) -> StorageResult<Vec<ConversationSummary>>;

    /// One conversation; aliases are resolved. None if it is not stored.
    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>>;

    /// The unread messages of all conversations.
    async fn total_unread(&self) -> StorageResult<u64>;

    /// The unread messages of all conversations that mention the signed-in person.
    async fn total_unread_mentions(&self) -> StorageResult<u64>;

    /// The unread messages that call for attention at this moment: without those of muted conversations, and of those in
    /// the archive (`a_muted_conversation_does_not_count_until_its_mute_ends`).
    async fn unread_for_badge(&self, now: Time) -> StorageResult<u64>;

    /// When the next mute ends after this moment; none if nothing is muted. Filters and badges may look different then,
    /// without a commit.
    async fn next_unmute(&self, now: Time) -> StorageResult<Option<Time>>;
}
