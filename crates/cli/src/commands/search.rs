//! `fieldpost search`.

use super::{messages::as_json, text::moment};
use crate::{
    device::Device,
    failure::Failure,
    output::Output,
    terminal::{column, one_line},
};
use chrono::{Local, NaiveDate, NaiveTime, TimeZone as _, Utc};
use fieldpost::{FoundHit, HitSource, MessageKind, NotSearched, SearchHit, SearchPosition, SearchQuery, Time};
use serde_json::{Value, json};

/// What to find.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Words that a message has; the last may be the beginning of one. Words between quotes stand side by side
    #[arg(allow_hyphen_values = true, value_parser = crate::args::text)]
    text: String,
    /// Only in this conversation: its id, a part of it, or its name
    #[arg(long = "in", value_name = "CONVERSATION")]
    conversation: Option<String>,
    /// Only from this person: an id, a part of it, or a name
    #[arg(long, value_name = "PERSON")]
    from: Option<String>,
    /// Only from this day or moment on: 2026-03-01, or 2026-03-01T14:30:00Z
    #[arg(long, value_name = "WHEN", value_parser = time)]
    since: Option<Time>,
    /// Only before this day or moment
    #[arg(long, value_name = "WHEN", value_parser = time)]
    until: Option<Time>,
    /// Only messages of this kind: text, attachment or system
    #[arg(long)]
    kind: Option<String>,
    /// The best hits first, not the newest
    #[arg(long)]
    best: bool,
    /// How many hits
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Go on after this position, which the page before has told
    #[arg(long, value_name = "POSITION")]
    after: Option<SearchPosition>,
    /// Search the server's history too, which goes back further than this device's
    #[arg(long, conflicts_with_all = ["best", "after"])]
    server: bool,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let query = query(device, arguments).await?;
    let bar = output.index_bar();
    device.client.build_search_index(|left| bar.show(left)).await?;
    bar.done();
    if arguments.server {
        return with_server(device, query, output).await;
    }
    let page = device.client.search(&query).await?;
    for hit in &page.hits {
        output.emphasised(&hit_as_json(hit), || line(hit));
    }
    match page.next {
        Some(next) if output.is_json() => output.result(&json!({"next": next.to_string()}), String::new),
        Some(next) => output.tell(&format!("  … more: --after {next}")),
        None if page.hits.is_empty() => output.tell("Nothing was found on this device."),
        None => {}
    }
    Ok(())
}

async fn with_server(device: &Device, query: SearchQuery, output: &Output) -> Result<(), Failure> {
    let page = device.client.search_with_server(query).next_page().await?;
    for found in &page.hits {
        output.emphasised(&found_as_json(found), || found_line(found));
    }
    let reason = page.not_searched.as_ref().map(|why| match why {
        NotSearched::NotOffered => "the server does not offer it".to_owned(),
        NotSearched::Failed(error) => error.to_string(),
        _ => "the server was not asked".to_owned(),
    });
    if output.is_json() {
        output.result(&json!({"complete": page.is_complete(), "reason": reason, "more": page.more}), String::new);
        return Ok(());
    }
    match reason {
        Some(reason) => output.tell(&format!("  Older messages on the server were not searched: {reason}.")),
        None if page.hits.is_empty() => output.tell("Nothing was found, on this device or on the server."),
        None => {}
    }
    if page.more {
        output.tell("  … more: --limit");
    }
    Ok(())
}

async fn query(device: &Device, arguments: &Arguments) -> Result<SearchQuery, Failure> {
    let query = SearchQuery::typed(&arguments.text).map_err(|error| Failure::usage(error.to_string()))?;
    let mut query = query.limit(arguments.limit);
    if arguments.best {
        query = query.best_first();
    }
    if let Some(conversation) = &arguments.conversation {
        query = query.in_conversation(device.find_conversation(conversation).await?.id);
    }
    if let Some(person) = &arguments.from {
        query = query.from_sender(device.find_person(person).await?);
    }
    query.kind = arguments.kind.as_deref().map(MessageKind::from);
    query.since = arguments.since;
    query.until = arguments.until;
    query.after = arguments.after;
    Ok(query)
}

/// A day begins at midnight on this device.
fn time(text: &str) -> Result<Time, String> {
    let moment = || text.parse::<Time>().ok();
    let day = || {
        let midnight = text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN);
        let local = Local.from_local_datetime(&midnight).earliest().map(|local| local.with_timezone(&Utc));
        Some(local.unwrap_or_else(|| midnight.and_utc()))
    };
    day().or_else(moment).ok_or_else(|| "give a day (2026-03-01) or a moment (2026-03-01T14:30:00Z)".to_owned())
}

fn line(hit: &SearchHit) -> Vec<(String, bool)> {
    let message = &hit.message;
    let who = [column(&hit.conversation_name, 16), column(&message.sender_name, 12)].join(" ");
    let mut parts = vec![(format!("{}  {who} ", moment(message.created_at)), false)];
    let (text, mut at) = (&hit.snippet.text, 0);
    if hit.snippet.cut_before {
        parts.push(("…".to_owned(), false));
    }
    for place in &hit.snippet.highlights {
        parts.push((joined(text, at..place.start), false));
        parts.push((joined(text, place.clone()), true));
        at = place.end;
    }
    parts.push((joined(text, at..text.len()), false));
    if hit.snippet.cut_after {
        parts.push(("…".to_owned(), false));
    }
    parts
}

fn found_line(found: &FoundHit) -> Vec<(String, bool)> {
    let mut parts = line(&found.hit);
    if found.source == HitSource::Server {
        parts.push(("  (on the server)".to_owned(), false));
    }
    parts
}

/// A part of a text in one line. White space at its ends stays, because it goes on there.
fn joined(text: &str, place: std::ops::Range<usize>) -> String {
    let part = text.get(place).unwrap_or_default();
    let space = |is_there: bool| if is_there { " " } else { "" };
    let inner = one_line(part);
    if inner.is_empty() {
        return space(!part.is_empty()).to_owned();
    }
    let (before, after) = (part.starts_with(char::is_whitespace), part.ends_with(char::is_whitespace));
    format!("{}{inner}{}", space(before), space(after))
}

fn hit_as_json(hit: &SearchHit) -> Value {
    let highlights: Vec<_> = hit.snippet.highlights.iter().map(|place| [place.start, place.end]).collect();
    json!({
        "message": as_json(&hit.message),
        "conversation_name": hit.conversation_name,
        "snippet": {
            "text": hit.snippet.text,
            "highlights": highlights,
            "cut_before": hit.snippet.cut_before,
            "cut_after": hit.snippet.cut_after,
        },
    })
}

fn found_as_json(found: &FoundHit) -> Value {
    let mut value = hit_as_json(&found.hit);
    value["source"] = match found.source {
        HitSource::Local => json!("local"),
        HitSource::Server => json!("server"),
    };
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_read() {
        assert_eq!(time("2026-03-01T14:30:00Z").unwrap().to_rfc3339(), "2026-03-01T14:30:00+00:00");
        assert!(time("2026-03-01").is_ok());
        for text in ["", "yesterday", "2026-13-01", "03/01/2026"] {
            assert!(time(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn parts_of_a_line_keep_their_distance() {
        let text = "the  gate\n\n3";
        assert_eq!([joined(text, 0..5), joined(text, 5..9), joined(text, 9..12)], ["the ", "gate", " 3"]);
        assert_eq!(joined(text, 9..11), " ");
    }
}
