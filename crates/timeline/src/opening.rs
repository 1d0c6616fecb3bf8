//! Where a timeline begins.

use crate::{
    options::{OpenAt, TimelineOptions},
    span::Span,
};
use fieldpost_domain::{ConversationId, MessageId, Seq};
use fieldpost_storage::{End, Messages, Section, StorageError, StorageErrorKind, StorageResult, Store, ThreadSection};

/// The part of a thread to open, and where the person left off: the first unread seq; none if nothing is unread.
///
/// # Errors
/// [`StorageErrorKind::NotFound`] when the conversation, or the message to open at, is not on this device.
pub async fn open(
    store: &(impl Store + ?Sized),
    conversation: ConversationId,
    options: &TimelineOptions,
) -> StorageResult<(Span, Option<Seq>)> {
    let line = store.conversation(conversation).await?;
    let line = line.ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, "timeline"))?;
    let unread = if line.unread > 0 { first_unread(store, conversation, options.page).await? } else { None };
    let at = match options.open_at {
        OpenAt::Newest => None,
        OpenAt::FirstUnread => unread,
        OpenAt::Message(id) => seq_of(store, line.id, id).await?,
    };
    let span = match at {
        Some(seq) => around(store, conversation, seq, options.page).await?,
        None => newest(store, conversation, options.page).await?,
    };
    Ok((span, unread))
}

/// The first unread seq: of a message, or of a gap that may have one.
async fn first_unread(
    store: &(impl Messages + ?Sized),
    conversation: ConversationId,
    page: u32,
) -> StorageResult<Option<Seq>> {
    let mut after = store.section(conversation, Section::newest(0)).await?.read_seq;
    loop {
        let next = store.section(conversation, Section::from(after.next(), page)).await?;
        if let Some(found) = first_unread_of(&next, after) {
            return Ok(Some(found));
        }
        if next.is_newest() || next.shown.to <= after {
            return Ok(None);
        }
        after = next.shown.to;
    }
}

fn first_unread_of(section: &ThreadSection, read: Seq) -> Option<Seq> {
    if section.shown.from > read.next() {
        // The section begins above a gap.
        return Some(read.next());
    }
    let of_others = section.messages.iter().filter(|message| !message.mine && !message.deleted);
    let message = of_others.filter_map(|message| message.seq).find(|seq| *seq > read);
    message.into_iter().chain(section.gaps.first().map(|gap| gap.from)).min()
}

/// None if it waits to be sent.
async fn seq_of(
    store: &(impl Messages + ?Sized),
    conversation: ConversationId,
    id: MessageId,
) -> StorageResult<Option<Seq>> {
    let message = store.message(id).await?.filter(|message| message.conversation_id == conversation);
    let message = message.ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, "timeline"))?;
    Ok(message.seq)
}

async fn newest(store: &(impl Messages + ?Sized), conversation: ConversationId, page: u32) -> StorageResult<Span> {
    let section = store.section(conversation, Section::newest(page)).await?;
    Ok(Span { from: section.shown.from, to: None, keep: End::Newest })
}

/// A page around a seq; more of it below if there is little above.
async fn around(
    store: &(impl Messages + ?Sized),
    conversation: ConversationId,
    seq: Seq,
    page: u32,
) -> StorageResult<Span> {
    let above = store.section(conversation, Section::from(seq, page.div_ceil(2))).await?;
    let shown = u32::try_from(above.messages.iter().filter(|message| message.seq.is_some()).count()).unwrap_or(page);
    let below = store.section(conversation, Section::below(seq, page.saturating_sub(shown))).await?;
    let to = if above.is_newest() { None } else { Some(above.shown.to) };
    Ok(Span { from: below.shown.from.min(seq), to, keep: End::Newest })
}
