//! The list of conversations, and opening conversations.

use crate::{Client, FieldpostError, Result, moment};
use fieldpost::{ConversationId, MedicId, OrgId};
use std::time::SystemTime;

/// Who takes part in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ConversationKind {
    /// A medic and the office.
    Direct,
    /// What admins tell everybody.
    Broadcast,
    /// A kind that this version does not know.
    Other,
}

/// A conversation as a list shows it ([`fieldpost::ConversationSummary`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConversationSummary {
    /// The id; it becomes the canonical one once the server has assigned that.
    pub id: ConversationId,
    /// Its org.
    pub org_id: OrgId,
    /// Who takes part.
    pub kind: ConversationKind,
    /// The name that the signed-in person sees.
    pub name: String,
    /// The subject of a broadcast.
    pub subject: Option<String>,
    /// What to show in place of a subject that was too long.
    pub omitted: Option<String>,
    /// The medic of a direct conversation.
    pub medic_id: Option<MedicId>,
    /// When it was created.
    pub created_at: SystemTime,
    /// When its newest message was created.
    pub last_message_at: Option<SystemTime>,
    /// The beginning of its newest message.
    pub last_message_preview: Option<String>,
    /// Unread messages.
    pub unread: u32,
    /// Those of them that mention the signed-in person.
    pub unread_mentions: u32,
    /// The highest known seq.
    pub last_seq: u64,
    /// Whether the server has it.
    pub on_server: bool,
    /// Muted until then.
    pub muted_until: Option<SystemTime>,
    /// When it was pinned.
    pub pinned_at: Option<SystemTime>,
    /// When it was archived. It is in the archive while nobody else has written since, or it is muted.
    pub archived_at: Option<SystemTime>,
    /// Somebody else has written since it was archived.
    pub revived: bool,
    /// The person has marked it as unread.
    pub marked_unread: bool,
    /// The first line of the draft.
    pub draft: Option<String>,
}

/// Which conversations a list shows, and how many ([`fieldpost::ConversationQuery`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, uniffi::Record)]
pub struct ConversationQuery {
    /// Only those with this text in their name, subject or newest message.
    #[uniffi(default = None)]
    pub text: Option<String>,
    /// Only direct ones, or only broadcasts. Not [`ConversationKind::Other`].
    #[uniffi(default = None)]
    pub kind: Option<ConversationKind>,
    /// Only those with unread messages, or marked as unread.
    #[uniffi(default = false)]
    pub unread: bool,
    /// Only those in the archive, or only the others.
    #[uniffi(default = None)]
    pub archived: Option<bool>,
    /// Only muted ones, or only the others.
    #[uniffi(default = None)]
    pub muted: Option<bool>,
    /// At most this many, from the top.
    #[uniffi(default = None)]
    pub limit: Option<u32>,
}

#[uniffi::export]
impl Client {
    /// The conversations that match, pinned ones first, then newest activity. None asks for all.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for a kind that cannot be asked for, or a text of more than 500 characters.
    #[uniffi::method(default(query = None))]
    pub async fn conversations(&self, query: Option<ConversationQuery>) -> Result<Vec<ConversationSummary>> {
        let query = query.map(TryInto::try_into).transpose()?;
        self.run(|client| async move {
            let found = match query {
                None => client.conversations().await?,
                Some(query) => client.conversations_matching(query).await?,
            };
            Ok(found.into_iter().map(Into::into).collect())
        })
        .await
    }

    /// One conversation; none if it is not on this device. Ids from before the server has assigned the canonical one are known.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn conversation(&self, conversation: ConversationId) -> Result<Option<ConversationSummary>> {
        self.run(|client| async move { Ok(client.conversation(conversation).summary().await?.map(Into::into)) }).await
    }

    /// The conversations with this part of a name; newest activity first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for more than 500 characters.
    pub async fn find_conversations(&self, part: String) -> Result<Vec<ConversationSummary>> {
        self.run(
            |client| async move { Ok(client.find_conversations(&part).await?.into_iter().map(Into::into).collect()) },
        )
        .await
    }

    /// Opens the conversation with a medic, online or offline. Opening it twice gives the same.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotReady`] before the first sync.
    pub async fn open_direct(&self, medic: MedicId) -> Result<ConversationId> {
        self.run(|client| async move { Ok(client.open_direct(medic).await?.id()) }).await
    }

    /// Opens the broadcast of the signed-in admin's org. An org has one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotPossible`] for a medic, [`crate::ErrorKind::SubjectTooLong`], [`crate::ErrorKind::NotReady`].
    #[uniffi::method(default(subject = None))]
    pub async fn open_broadcast(&self, subject: Option<String>) -> Result<ConversationId> {
        self.run(|client| async move { Ok(client.open_broadcast(subject.as_deref()).await?.id()) }).await
    }

    /// The unread messages that call for attention, for a badge: without those of muted and archived conversations.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn unread_for_badge(&self) -> Result<u32> {
        self.run(|client| async move { Ok(moment::count(client.unread_for_badge().await?)) }).await
    }

    /// All unread messages.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn total_unread(&self) -> Result<u32> {
        self.run(|client| async move { Ok(moment::count(client.total_unread().await?)) }).await
    }

    /// All unread messages that mention the signed-in person.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn total_unread_mentions(&self) -> Result<u32> {
        self.run(|client| async move { Ok(moment::count(client.total_unread_mentions().await?)) }).await
    }
}

impl From<fieldpost::ConversationKind> for ConversationKind {
    fn from(kind: fieldpost::ConversationKind) -> Self {
        match kind {
            fieldpost::ConversationKind::Direct => Self::Direct,
            fieldpost::ConversationKind::Broadcast => Self::Broadcast,
            fieldpost::ConversationKind::Unknown(_) => Self::Other,
        }
    }
}

impl TryFrom<ConversationQuery> for fieldpost::ConversationQuery {
    type Error = FieldpostError;

    fn try_from(asked: ConversationQuery) -> Result<Self> {
        let mut query = Self::default();
        if let Some(text) = asked.text {
            query = query.text(&text)?;
        }
        match asked.kind {
            Some(ConversationKind::Direct) => query = query.kind(fieldpost::ConversationKind::Direct),
            Some(ConversationKind::Broadcast) => query = query.kind(fieldpost::ConversationKind::Broadcast),
            Some(ConversationKind::Other) => return Err(FieldpostError::unknown_kind()),
            None => {}
        }
        if asked.unread {
            query = query.unread();
        }
        if let Some(archived) = asked.archived {
            query = query.archived(archived);
        }
        if let Some(muted) = asked.muted {
            query = query.muted(muted);
        }
        if let Some(limit) = asked.limit {
            query = query.limit(limit);
        }
        Ok(query)
    }
}

impl From<fieldpost::ConversationSummary> for ConversationSummary {
    fn from(summary: fieldpost::ConversationSummary) -> Self {
        let settings = summary.settings;
        Self {
            id: summary.id,
            org_id: summary.org_id,
            marked_unread: summary.is_marked_unread(),
            kind: summary.kind.into(),
            name: summary.participant_name,
            subject: summary.subject,
            omitted: summary.omitted.map(|omitted| omitted.sentence()),
            medic_id: summary.medic_id,
            created_at: moment::out(summary.created_at),
            last_message_at: summary.last_message_at.map(moment::out),
            last_message_preview: summary.last_message_preview,
            unread: moment::count(summary.unread),
            unread_mentions: moment::count(summary.unread_mentions),
            last_seq: summary.last_seq.get(),
            on_server: summary.on_server,
            muted_until: settings.muted_until.map(moment::out),
            pinned_at: settings.pinned_at.map(moment::out),
            archived_at: settings.archived.map(|archived| moment::out(archived.at)),
            revived: summary.revived,
            draft: summary.draft,
        }
    }
}
