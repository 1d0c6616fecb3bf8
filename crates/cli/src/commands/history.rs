//! `fieldpost history`, and how a timeline is printed.

use super::{messages::as_json, text::message_line};
use crate::{device::Device, failure::Failure, output::Output};
use chrono::{Local, Offset, TimeZone};
use fieldpost::{
    Conversation, Edge, Ends, Error, OpenAt, Time, TimelineItem, TimelineMessage, TimelineOptions, Vector, Zone,
};
use serde_json::{Value, json};

/// Whose history, and how much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// How many messages, the newest of them at the end
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(&arguments.conversation).await?.id);
    let options = newest(arguments.limit);
    let mut fetched = Ok(());
    let (items, ends) = loop {
        let (items, ends) = shown(&conversation, options.clone()).await?;
        let missing = count(&items) < arguments.limit as usize && ends.older == Edge::OnServer;
        if !missing || !device.has_server() {
            break (items, ends);
        }
        let before = count(&items);
        fetched = conversation.timeline(options.clone()).await?.0.paginate_backwards().await.map(drop);
        let (items, ends) = shown(&conversation, options.clone()).await?;
        if fetched.is_err() || (count(&items) == before && ends.older == Edge::OnServer) {
            break (items, ends);
        }
    };
    print(&items, ends, output);
    fetched.map_err(|error: Error| Failure::from(error))
}

/// The newest messages, in the time zone of this machine.
pub(super) fn newest(limit: u32) -> TimelineOptions {
    TimelineOptions::default().open_at(OpenAt::Newest).page(limit).zone(Zone::by(seconds_ahead))
}

fn seconds_ahead(time: Time) -> i32 {
    Local.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc()
}

/// What a timeline shows now.
pub(super) async fn shown(
    conversation: &Conversation,
    options: TimelineOptions,
) -> Result<(Vector<TimelineItem>, Ends), Failure> {
    let (timeline, items, _) = conversation.timeline(options).await?;
    Ok((items, timeline.ends()))
}

fn count(items: &Vector<TimelineItem>) -> usize {
    items.iter().filter_map(TimelineItem::message).count()
}

/// Prints all items, each as a line.
fn print(items: &Vector<TimelineItem>, ends: Ends, output: &Output) {
    tell_older(ends, output);
    for item in items {
        output.result(&item_as_json(item), || line(item));
    }
}

pub(super) fn tell_older(ends: Ends, output: &Output) {
    match ends.older {
        Edge::End => {}
        Edge::Here | Edge::OnServer => output.tell("  … older messages above"),
    }
}

/// An item for people.
pub(super) fn line(item: &TimelineItem) -> String {
    match item {
        TimelineItem::Start => "── the conversation begins here ──".to_owned(),
        TimelineItem::Day(day) => format!("── {} ──", day),
        TimelineItem::Unread => "── unread ──".to_owned(),
        TimelineItem::Gap { range, .. } => {
            let most = range.to.get().saturating_sub(range.from.get()).saturating_add(1);
            format!("  … up to {most} messages are missing here; `fieldpost history` fetches them")
        }
        TimelineItem::Message(message) => message_line(&message.message),
        // A command waits until everything is there.
        _ => "  …".to_owned(),
    }
}

fn item_as_json(item: &TimelineItem) -> Value {
    match item {
        TimelineItem::Start => json!({ "item": "start" }),
        TimelineItem::Day(day) => json!({ "item": "day", "day": day }),
        TimelineItem::Unread => json!({ "item": "unread" }),
        TimelineItem::Gap { range, .. } => json!({ "item": "gap", "from": range.from, "to": range.to }),
        TimelineItem::Message(TimelineMessage { message, first_of_group, last_of_group }) => {
            let mut value = as_json(message);
            value["item"] = json!("message");
            value["first_of_group"] = json!(first_of_group);
            value["last_of_group"] = json!(last_of_group);
            value
        }
        _ => json!({ "item": "loading" }),
    }
}
