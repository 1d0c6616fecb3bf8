//! `fieldpost_search`: what is found in the whole history.

use super::{
    page::{Budget, Page, size},
    state::State,
    viewer::Viewer,
};
use crate::{RemoteError, RemoteErrorKind, RemoteResult, SearchRequest};
use fieldpost_domain::{
    Capabilities, Capability, Continuation, FoundPage, Message, MessageId, PersonId, Time, Transfer,
};
use std::cmp::Reverse;
use uuid::Uuid;

const OPERATION: &str = "search";

/// The most hits of a page, and the most words of a search.
const HITS: u32 = 50;
const WORDS: usize = 4_000;

pub(super) fn search(
    state: &State,
    caller: PersonId,
    request: &SearchRequest,
    speaks: &Capabilities,
) -> RemoteResult<FoundPage> {
    check(state, request)?;
    let tables = &state.tables;
    let viewer = Viewer::of(tables, caller);
    let limit = request.limit.unwrap_or(HITS).min(HITS);
    let budget = Budget::new(&state.options.limits, (Some(limit), request.bytes), OPERATION)?;
    let after = request.after.as_ref().map(place).transpose()?;
    let conversation = request.conversation_id.map(|id| tables.resolve(id));

    let is_hit = |message: &&Message| {
        viewer.sees_message(tables, message)
            && conversation.is_none_or(|wanted| message.conversation_id == wanted)
            && request.fits(message)
            && after.is_none_or(|after| place_of(message) < after)
    };
    let mut hits: Vec<&Message> = tables.messages.values().filter(is_hit).collect();
    hits.sort_by_key(|message| Reverse(place_of(message)));

    let mut page = Page::new(tables, &viewer, speaks);
    let (mut bytes, mut taken) = (0, 0);
    for hit in &hits {
        bytes += size(*hit);
        if taken == budget.rows || (bytes > budget.bytes && taken > 0) {
            break;
        }
        page.add_message(hit);
        taken += 1;
    }
    let last = hits.get(..taken).and_then(<[_]>::last).filter(|_| taken < hits.len());
    let weight = page.weight();
    let mut changes = page.finish();
    // A hit is shown, not kept: who wrote it is all that it needs.
    changes.conversations.clear();
    changes.reactions.clear();
    changes.people.retain(|person| changes.messages.iter().any(|message| message.sender_id == person.id));
    Ok(FoundPage {
        transfer: Transfer { bytes: weight, ..Transfer::default() },
        changes,
        next_after: last
            .map(|message| Continuation::new(format!("r1/{}/{}", message.created_at.timestamp_micros(), message.id))),
        limits: state.options.limits,
    })
}

fn check(state: &State, request: &SearchRequest) -> RemoteResult<()> {
    let words = request.terms.iter().map(|term| term.words.len()).sum::<usize>();
    if !state.options.info.capabilities.contains(&Capability::SearchServer) {
        return Err(bad(Capability::SearchServer.as_str()));
    }
    if words > WORDS || request.terms.iter().any(|term| term.words.iter().all(String::is_empty)) {
        return Err(bad("p_terms"));
    }
    Ok(())
}

fn bad(argument: &str) -> RemoteError {
    RemoteError::new(RemoteErrorKind::BadRequest, OPERATION).with_detail(argument)
}

/// Where a message stands among hits.
const fn place_of(message: &Message) -> (Time, MessageId) {
    (message.created_at, message.id)
}

fn place(after: &Continuation) -> RemoteResult<(Time, MessageId)> {
    let mut parts = after.as_str().split('/');
    let (Some("r1"), Some(time), Some(id), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(bad("p_after"));
    };
    let time = time.parse().ok().and_then(Time::from_timestamp_micros);
    let id = Uuid::try_parse(id).ok().map(MessageId::from_uuid);
    time.zip(id).ok_or_else(|| bad("p_after"))
}
