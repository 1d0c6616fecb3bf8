//! What a thread shows of the reactions to a message: the server's rows, with the person's own pending ones applied.

use fieldpost_domain::{Emoji, Intent, PersonId, ReactedBy, Time};
use std::collections::BTreeMap;

/// The reactions of one emoji to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadReaction {
    /// The emoji.
    pub emoji: Emoji,
    /// How many people have reacted with it.
    pub count: u64,
    /// Whether the signed-in person has.
    pub mine: bool,
    /// The person's own reaction is pending: others do not see it yet.
    pub changing: bool,
    /// Who has, the first one first, as far as this device knows. In a broadcast a medic knows only of themselves.
    pub people: Vec<PersonId>,
}

/// A stored row, as much of it as showing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReaction {
    /// The emoji.
    pub emoji: Emoji,
    /// Whose it is.
    pub by: ReactedBy,
    /// When the row came to be.
    pub created_at: Time,
}

/// The rows of one emoji.
#[derive(Debug, Default)]
struct OfEmoji {
    /// When the first of the rows came to be; none if nobody's has reached the server.
    first: Option<Time>,
    /// The number that the server tells.
    total: Option<u64>,
    people: Vec<(Time, PersonId)>,
    /// What the person wants, if that waits for the server.
    pending: Option<bool>,
}

/// Groups the rows of a message by emoji and applies the pending changes of the signed-in person, in their order. The
/// emoji that came first is first; it stays there when all take theirs back and somebody reacts with it again.
pub fn shown<'a>(
    rows: impl IntoIterator<Item = StoredReaction>,
    pending: impl IntoIterator<Item = &'a Intent>,
    owner: Option<PersonId>,
) -> Vec<ThreadReaction> {
    let mut emojis: BTreeMap<Emoji, OfEmoji> = BTreeMap::new();
    for row in rows {
        let of = emojis.entry(row.emoji).or_default();
        of.first = Some(of.first.map_or(row.created_at, |first| first.min(row.created_at)));
        match row.by {
            ReactedBy::All { count } => of.total = Some(count),
            ReactedBy::Person { id, removed: false } => of.people.push((row.created_at, id)),
            ReactedBy::Person { removed: true, .. } => {}
        }
    }
    for change in pending {
        if let Intent::React(reaction) = change {
            emojis.entry(reaction.emoji.clone()).or_default().pending = Some(!reaction.removed);
        }
    }
    let mut ordered: Vec<_> = emojis.into_iter().collect();
    ordered.sort_by_key(|(_, of)| (of.first.is_none(), of.first));
    ordered.into_iter().filter_map(|(emoji, of)| of.shown(emoji, owner)).collect()
}

impl OfEmoji {
    fn shown(mut self, emoji: Emoji, owner: Option<PersonId>) -> Option<ThreadReaction> {
        self.people.sort_unstable();
        let mut people: Vec<PersonId> = self.people.into_iter().map(|(_, person)| person).collect();
        // The total and the rows of people may come with different pages.
        let mut count = self.total.unwrap_or(0).max(people.len() as u64);
        let counted = owner.is_some_and(|owner| people.contains(&owner));
        let mine = self.pending.unwrap_or(counted);
        if mine != counted {
            // Each person counts once, on however many devices they react.
            count = if mine { count + 1 } else { count.saturating_sub(1) };
            people.retain(|person| Some(*person) != owner);
            people.extend(owner.filter(|_| mine));
        }
        let changing = mine != counted;
        (count > 0).then_some(ThreadReaction { emoji, count, mine, changing, people })
    }
}
