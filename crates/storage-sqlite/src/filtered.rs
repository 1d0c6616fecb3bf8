//! The list of conversations that match a filter.
//!
//! **By text.** Texts are compared folded, in any case and Unicode form. SQLite cannot fold. So it only leaves out rows that
//! cannot match, and this module checks each row that SQLite returns. Folding printable ASCII only makes letters small.
//! Therefore a row of printable ASCII cannot match if it lacks one of the filter's words. A row with any other character
//! might match.
//!
//! SQL by hand: the list, packed, with one of three indexes (`matching`).

use crate::{
    error::Res,
    line::packed,
    rows::conversation::{Listed, PLACE, source_by, summary},
    sql::{Tx, int, opt_text, time},
};
use fieldpost_domain::{ConversationKind, TextPart, names, search};
use fieldpost_storage::{ConversationFilter, ConversationSummary};

/// Whether a conversation is muted at the moment of the first parameter.
pub(crate) const MUTED: &str = "coalesce(c.muted_until > ?1, 0)";

/// Whether it is in the archive then.
pub(crate) const ARCHIVED: &str = "(c.archived_at IS NOT NULL AND (NOT c.revived OR coalesce(c.muted_until > ?1, 0)))";

/// Whether a row may match words, a JSON array of them in the fourth parameter. It asks the conversation alone, so that
/// rows without a match are joined to nothing.
const MAY_MATCH: &str = "EXISTS (SELECT 1
    FROM (SELECT concat_ws(' ', c.subject, c.participant_name, c.medic_name, c.last_message_preview,
        (SELECT group_concat(concat_ws(' ', q.first_name, q.last_name), ' ') FROM people AS q
            WHERE q.medic_id = c.medic_id)) AS shown) AS s
    WHERE s.shown GLOB '*[^ -~]*'
        OR NOT EXISTS (SELECT 1 FROM json_each(?4) AS w WHERE instr(lower(s.shown), w.value) = 0))";

/// If too few rows matched, the next query reads this many times as many.
const MORE: u32 = 16;

pub(crate) async fn list(tx: &Tx, filter: &ConversationFilter) -> Res<Vec<ConversationSummary>> {
    let words = filter.text.as_ref().and_then(words);
    let sql = matching(filter, words.is_some());
    let mut rows = filter.limit;
    loop {
        let kind = opt_text(filter.kind.as_ref().map(ConversationKind::as_str));
        let values = [time(filter.now), int(rows.into()), kind]
            .into_iter()
            .chain(words.clone().map(|words| opt_text(Some(words))));
        let found = tx.only(&sql, values.collect()).await?.lines("list")?;
        let mut list: Vec<_> = found.iter().map(summary).collect::<Res<_>>()?;
        let all = (found.len() as u64) < u64::from(rows);
        list.retain(|line| filter.matches(line));
        if all || list.len() >= filter.limit as usize {
            list.truncate(filter.limit as usize);
            return Ok(list);
        }
        rows = rows.saturating_mul(MORE);
    }
}

/// The words that a row of ASCII has if it matches; none if a name that no row has may match.
fn words(part: &TextPart) -> Option<String> {
    let text = part.as_folded();
    let given = [names::ADMIN, names::UNKNOWN_MEDIC, names::BROADCAST].map(search::folded);
    let words: Vec<_> = text.split(' ').filter(|word| word.is_ascii() && !word.is_empty()).collect();
    if words.is_empty() || given.iter().any(|name| name.contains(text)) {
        None
    } else {
        serde_json::to_string(&words).ok()
    }
}

/// All but the text: its second parameter is the limit, its third the kind. A list of few among many goes by an index of
/// its own.
fn matching(filter: &ConversationFilter, words: bool) -> String {
    let few = match filter {
        ConversationFilter { unread: true, .. } => "INDEXED BY conversations_unread",
        ConversationFilter { archived: Some(true), .. } => "INDEXED BY conversations_archived",
        _ => "INDEXED BY conversations_by_place",
    };
    let mut conditions = vec!["?1 IS NOT NULL".to_owned(), "?3 IS ?3".to_owned()];
    let mut only = |condition: &str, given: Option<bool>| match given {
        Some(true) => conditions.push(condition.to_owned()),
        Some(false) => conditions.push(format!("NOT {condition}")),
        None => {}
    };
    only("(c.unread_count > 0 OR c.unread_from IS NOT NULL)", filter.unread.then_some(true));
    only("c.type = ?3", filter.kind.as_ref().map(|_| true));
    // For the index.
    only("c.archived_at IS NOT NULL", (filter.archived == Some(true)).then_some(true));
    only(ARCHIVED, filter.archived);
    only(MUTED, filter.muted);
    only(MAY_MATCH, words.then_some(true));
    let which = format!("{} WHERE {} {PLACE} LIMIT 0 + ?2", source_by(few), conditions.join(" AND "));
    format!("SELECT {} AS list", packed(&Listed::row(), &which))
}
