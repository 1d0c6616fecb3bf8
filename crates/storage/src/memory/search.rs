//! Searches by reading every message.

use super::state::State;
use crate::{SearchHit, SearchOrder, SearchPage, SearchPosition, SearchQuery, ThreadMessage};
use fieldpost_domain::{
    SearchRank,
    planted::{PlantedBug, planted},
    search::snippet,
};
use std::cmp::Reverse;

impl State {
    pub(super) fn search(&self, query: &SearchQuery) -> SearchPage {
        let mut found: Vec<(SearchPosition, ThreadMessage)> =
            self.messages
                .values()
                .filter(|row| self.threads.contains_key(&row.conversation_id()) || planted(PlantedBug::RevokedIsFound))
                .map(|row| {
                    if planted(PlantedBug::OldTextIsFound) { self.base_message(row) } else { self.thread_message(row) }
                })
                .filter_map(|message| Some((self.position(query, &message)?, message)))
                .collect();
        found.sort_by_key(|(position, _)| in_order(*position));
        let mut rest = found
            .into_iter()
            .filter(|(position, _)| query.after.is_none_or(|after| in_order(*position) > in_order(after)));
        let page: Vec<_> = rest.by_ref().take(query.limit as usize).collect();
        let next = rest.next().and(page.last()).map(|(position, _)| *position);
        SearchPage { hits: page.into_iter().map(|(_, hit)| self.hit(query, hit)).collect(), next, unindexed: 0 }
    }

    /// Where a hit stands; none if the message is no hit.
    fn position(&self, query: &SearchQuery, message: &ThreadMessage) -> Option<SearchPosition> {
        let is_wanted = query.conversation.is_none_or(|wanted| message.conversation_id == self.resolve(wanted))
            && query.sender.is_none_or(|wanted| message.sender_id == wanted)
            && query.kind.as_ref().is_none_or(|wanted| message.kind == *wanted)
            && query.since.is_none_or(|since| message.created_at >= since)
            && query.until.is_none_or(|until| message.created_at < until);
        let rank = message.content.as_deref().filter(|_| is_wanted).and_then(|content| query.text.rank(content))?;
        let rank = if query.order == SearchOrder::Best { rank } else { SearchRank::SideBySide };
        Some(SearchPosition { rank, key: message.created_at.timestamp_millis(), tie: Some(message.id) })
    }

    fn hit(&self, query: &SearchQuery, message: ThreadMessage) -> SearchHit {
        let content = message.content.as_deref().unwrap_or_default();
        let snippet = snippet(content, &query.text.places(content));
        let thread = self.threads.get(&message.conversation_id);
        SearchHit {
            conversation_name: thread.map_or_else(String::new, |it| self.participant_name(it)),
            message,
            snippet,
        }
    }
}

fn in_order(position: SearchPosition) -> (SearchRank, Reverse<i64>, Reverse<Option<fieldpost_domain::MessageId>>) {
    (position.rank, Reverse(position.key), Reverse(position.tie))
}
