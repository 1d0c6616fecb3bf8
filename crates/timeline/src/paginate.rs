//! Moves the ends of a timeline.

use crate::span::Span;
use fieldpost_domain::{ConversationId, Seq};
use fieldpost_storage::{End, Messages, Older, Section, StorageResult};

/// Where older messages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backwards {
    /// There are none.
    End,
    /// On this device: this is the span with more of them.
    Here(Span),
    /// The server may have them: fetch history below this seq.
    OnServer {
        /// Below this seq.
        before: Seq,
        /// The span to show if that is not possible now: what is here below the gap, with the gap.
        otherwise: Option<Span>,
    },
}

/// Looks for up to `page` older messages.
///
/// # Errors
/// Those of [`Messages::section`].
pub async fn backwards(
    store: &(impl Messages + ?Sized),
    conversation: ConversationId,
    span: Span,
    page: u32,
) -> StorageResult<Backwards> {
    if span.from <= Seq::new(1) {
        return Ok(Backwards::End);
    }
    let below = store.section(conversation, Section::below(span.from, page)).await?;
    let more = Span { from: below.shown.from, keep: End::Oldest, ..span };
    let nothing_is_here = below.shown.from >= span.from;
    if nothing_is_here {
        return Ok(match below.older {
            Older::Nothing => Backwards::Here(more),
            Older::Here(_) | Older::OnServer(_) => Backwards::OnServer { before: span.from, otherwise: None },
        });
    }
    let gap = below.gaps.last().is_some_and(|gap| gap.to.next() >= span.from);
    Ok(if gap { Backwards::OnServer { before: span.from, otherwise: Some(more) } } else { Backwards::Here(more) })
}

/// The span with up to `page` newer messages; none if it follows the end of the thread already.
///
/// # Errors
/// Those of [`Messages::section`].
pub async fn forwards(
    store: &(impl Messages + ?Sized),
    conversation: ConversationId,
    span: Span,
    page: u32,
) -> StorageResult<Option<Span>> {
    let Some(to) = span.to else { return Ok(None) };
    let above = store.section(conversation, Section::from(to.next(), page)).await?;
    let to = if above.is_newest() { None } else { Some(above.shown.to) };
    Ok(Some(Span { to, keep: End::Newest, ..span }))
}
