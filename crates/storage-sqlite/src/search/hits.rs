//! Which messages a page of hits has.
//!
//! The index gives hits by time, the newest first, and only as many as are asked for. One kind of question is different: for
//! the beginning of a word it first gathers all messages that have a word with this beginning, and for one letter that is
//! nearly every message. So the last word, while it is typed, is at first looked for in the newest messages themselves that
//! fit the rest of the query ([`SCANNED`]). A beginning that many messages have fills the page from there; the others are few
//! enough to gather.
//!
//! The best hits come in ranks, each of which is a question of its own.
//!
//! SQL by hand: hits are read in the order of the index (`search`).

use super::expression::Expression;
use crate::{
    error::{Fault, Res},
    hot::{Plan, hot},
    line::{cells, packed},
    sql::{Tx, int, opt_id, opt_text, opt_time, text},
};
use fieldpost_domain::{SearchRank, search::Term};
use fieldpost_storage::{SearchOrder, SearchPosition, SearchQuery};
use sea_orm::Value;

/// How many messages are looked through for the beginning of a word.
const SCANNED: usize = 500;

/// Messages with one time have keys up to this much later.
const LATER: i64 = 3_600_000;

/// One question to the index.
struct Tier {
    rank: SearchRank,
    terms: Vec<Term>,
    without: Option<Vec<Term>>,
}

/// The keys of the hits, and where the next page begins.
pub(super) async fn find(tx: &Tx, query: &SearchQuery) -> Res<(Vec<i64>, Option<SearchPosition>)> {
    let limit = query.limit as usize;
    let mut found: Vec<(SearchRank, i64)> = Vec::new();
    if limit == 0 || query.text.terms().is_empty() {
        return Ok((Vec::new(), None));
    }
    let after = query.after;
    for tier in tiers(query).into_iter().filter(|tier| after.is_none_or(|after| tier.rank >= after.rank)) {
        let below = after.filter(|after| after.rank == tier.rank).map_or(i64::MAX, |after| after.key);
        let keys = of_tier(tx, query, &tier, below, limit + 1 - found.len()).await?;
        found.extend(keys.into_iter().map(|key| (tier.rank, key)));
        if found.len() > limit {
            break;
        }
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(rank, key)| SearchPosition { rank: *rank, key: *key, tie: None });
    Ok((found.into_iter().map(|(_, key)| key).collect(), next))
}

fn tiers(query: &SearchQuery) -> Vec<Tier> {
    let terms = query.text.terms().to_vec();
    if query.order == SearchOrder::Newest {
        return vec![Tier { rank: SearchRank::SideBySide, terms, without: None }];
    }
    let (whole, together) = (query.text.whole(), vec![query.text.side_by_side()]);
    let mut tiers = vec![Tier { rank: SearchRank::SideBySide, terms: together.clone(), without: None }];
    if whole != together {
        tiers.push(Tier { rank: SearchRank::Whole, terms: whole.clone(), without: Some(together) });
    }
    if terms != whole {
        tiers.push(Tier { rank: SearchRank::Beginning, terms, without: Some(whole) });
    }
    tiers
}

async fn of_tier(tx: &Tx, query: &SearchQuery, tier: &Tier, below: i64, limit: usize) -> Res<Vec<i64>> {
    let (mut found, mut below) = (Vec::new(), below);
    if let Some(rest) = without_open_word(&tier.terms) {
        let scanned = scan(tx, query, &rest, below).await?;
        let fits = |content: &str| {
            let rank = query.text.rank(content);
            rank.is_some() && (query.order == SearchOrder::Newest || rank == Some(tier.rank))
        };
        let hits = scanned.iter().filter(|(_, content)| content.as_deref().is_some_and(fits));
        found.extend(hits.map(|(key, _)| *key).take(limit));
        match scanned.last() {
            Some((last, _)) if scanned.len() == SCANNED && found.len() < limit => below = *last,
            _ => return Ok(found),
        }
    }
    let mut expression = Expression::of_marks(query).with(&tier.terms);
    if let Some(without) = &tier.without {
        expression = expression.without(without);
    }
    let Some(expression) = expression.text() else { return Ok(found) };
    let mut values = bounds(query, below, limit - found.len());
    values.push(text(expression));
    let keys: String = tx.only(&HITS, values).await?.get("keys")?;
    found.extend(read_keys(&keys)?);
    Ok(found)
}

fn read_keys(keys: &str) -> Res<Vec<i64>> {
    serde_json::from_str(keys).map_err(|_| Fault::corrupt("a key of the index is no number"))
}

/// What else a hit has than the word that is being typed; none if none is.
fn without_open_word(terms: &[Term]) -> Option<Vec<Term>> {
    let (last, others) = terms.split_last().filter(|(last, _)| last.open)?;
    let (_, before) = last.words.split_last()?;
    let mut rest = others.to_vec();
    if !before.is_empty() {
        rest.push(Term { words: before.to_vec(), open: false });
    }
    Some(rest)
}

/// The newest messages with these terms, with their text if the filters let them through.
async fn scan(tx: &Tx, query: &SearchQuery, terms: &[Term], below: i64) -> Res<Vec<(i64, Option<String>)>> {
    let mut values = bounds(query, below, SCANNED);
    let row = match Expression::of_marks(query).with(terms).text() {
        Some(expression) => {
            values.push(text(expression));
            tx.only(&SCAN_SOME, values).await?
        }
        None => tx.only(&SCAN_ALL, values).await?,
    };
    let lines = row.lines("scanned")?;
    lines.iter().map(|line| Ok((line.get(Scanned::Key)?, line.get(Scanned::Content)?))).collect()
}

/// The parameters of [`WITHIN`] and [`FILTERED`].
fn bounds(query: &SearchQuery, below: i64, limit: usize) -> Vec<Value> {
    let key = |at: fieldpost_domain::Time| at.timestamp_millis().clamp(1, 1 << 53);
    let until = query.until.map_or(i64::MAX, |until| key(until).saturating_add(LATER));
    vec![
        int(below.min(until)),
        int(query.since.map_or(0, key)),
        int(i64::try_from(limit).unwrap_or(i64::MAX)),
        opt_id(query.conversation.map(|id| id.as_uuid())),
        opt_id(query.sender.map(|id| id.as_uuid())),
        opt_text(query.kind.as_ref().map(|kind| kind.as_str())),
        opt_time(query.since),
        opt_time(query.until),
    ]
}

const FILTERED: &str = "(?4 IS NULL OR m.conversation_id = ?4) AND (?5 IS NULL OR m.sender_id = ?5) \
    AND (?6 IS NULL OR m.message_type = ?6) AND (?7 IS NULL OR m.created_at >= ?7) AND (?8 IS NULL OR m.created_at < ?8)";

/// Dead letters may have no conversation any more, and are not found.
const MESSAGES: &str =
    "CROSS JOIN messages AS m ON m.pk = s.message CROSS JOIN conversations AS c ON c.id = m.conversation_id";

const INDEX: &str = "FROM messages_search CROSS JOIN messages_search_entries AS s ON s.key = messages_search.rowid";

const MATCHED: &str = "messages_search MATCH ?9 AND messages_search.rowid < ?1 AND messages_search.rowid >= ?2";

cells! {
    enum Scanned() {
        Key = "s.key",
        Content = format!("CASE WHEN {FILTERED} THEN m.content END"),
    }
}

hot! {
    SCAN_ALL: "the newest messages", Plan::Bounded, format!("SELECT {} AS scanned", packed(&Scanned::row(), &format!(
        "FROM messages_search_entries AS s {MESSAGES} WHERE s.key < ?1 AND s.key >= ?2 ORDER BY s.key DESC LIMIT 0 + ?3"
    )));
    SCAN_SOME: "the newest messages with some words", Plan::Bounded, format!("SELECT {} AS scanned", packed(&Scanned::row(), &format!(
        "{INDEX} {MESSAGES} WHERE {MATCHED} ORDER BY messages_search.rowid DESC LIMIT 0 + ?3"
    )));
    HITS: "the newest hits", Plan::Bounded, format!("SELECT (SELECT json_group_array(key) FROM (
        SELECT s.key {INDEX} {MESSAGES} WHERE {MATCHED} AND {FILTERED} ORDER BY messages_search.rowid DESC LIMIT 0 + ?3)) AS keys");
}
