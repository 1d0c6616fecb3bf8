//! Tables: a section and marks make these items.

use super::*;
use crate::{Zone, item::ItemId};
use fieldpost_domain::{ConversationId, Message};
use fieldpost_storage::{
    Messages as _, Outbox as _, Section,
    conformance::{
        build::{self, ada, at, ben, conversation_id, iris, message, seq},
        given,
    },
    memory::MemoryStore,
};

fn thread() -> ConversationId {
    conversation_id(1)
}

/// Two days: the stories begin on 31 January 2026 at 08:00.
const DAY: u64 = 86_400;

/// Iris sees these messages of a conversation with this last seq.
async fn seen(last: u64, messages: Vec<Message>) -> (MemoryStore, ThreadSection) {
    let store = MemoryStore::new();
    given::loaded(&store, given::thread(build::direct(1, last), messages)).await;
    let section = store.section(thread(), Section::newest(100)).await.unwrap();
    (store, section)
}

fn by_ada(n: u64, seconds: u64) -> Message {
    Message { created_at: at(seconds), ..message(thread(), n, &ada()) }
}

/// A short text for each item.
fn lines(items: &[TimelineItem]) -> Vec<String> {
    items.iter().map(line).collect()
}

fn line(item: &TimelineItem) -> String {
    match item {
        TimelineItem::Start => "start".to_owned(),
        TimelineItem::Loading(direction) => format!("loading {direction:?}"),
        TimelineItem::Day(day) => day.format("%d %b").to_string(),
        TimelineItem::Unread => "unread".to_owned(),
        TimelineItem::Gap { range, loading } => {
            format!("gap {}-{}{}", range.from, range.to, if *loading { " loading" } else { "" })
        }
        TimelineItem::Message(message) => {
            let group = match (message.first_of_group, message.last_of_group) {
                (true, true) => "",
                (true, false) => " first",
                (false, true) => " last",
                (false, false) => " middle",
            };
            let name = message.message.seq.map_or_else(|| "unsent".to_owned(), |seq| seq.to_string());
            format!("{name}{group}")
        }
    }
}

fn drawn(section: &ThreadSection, marks: &Marks) -> Vec<String> {
    lines(&draw(section, &TimelineOptions::default(), marks))
}

fn unread_from(n: u64) -> Marks {
    Marks { unread_from: Some(seq(n)), ..Marks::default() }
}

#[tokio::test]
async fn an_empty_thread_is_its_start() {
    let (_, section) = seen(0, vec![]).await;
    assert_eq!(drawn(&section, &Marks::default()), ["start"]);
}

#[tokio::test]
async fn days_divide_messages_in_the_zone_of_the_app() {
    let (_, section) = seen(3, vec![by_ada(1, 0), by_ada(2, 15 * 3_600), by_ada(3, DAY)]).await;
    assert_eq!(drawn(&section, &Marks::default()), ["start", "31 Jan", "1", "2", "01 Feb", "3"]);
    let further_east = TimelineOptions::default().zone(Zone::fixed(2 * 3_600));
    let items = draw(&section, &further_east, &Marks::default());
    assert_eq!(lines(&items), ["start", "31 Jan", "1", "01 Feb", "2", "3"]);
}

#[tokio::test]
async fn messages_of_one_sender_close_in_time_are_a_group() {
    let by_ben = Message { created_at: at(70), ..message(thread(), 4, &ben()) };
    let (_, section) =
        seen(6, vec![by_ada(1, 0), by_ada(2, 30), by_ada(3, 60), by_ben, by_ada(5, 80), by_ada(6, 400)]).await;
    let expected = ["start", "31 Jan", "1 first", "2 middle", "3 last", "4", "5", "6"];
    assert_eq!(drawn(&section, &Marks::default()), expected);
    let never = TimelineOptions::default().group_within(std::time::Duration::ZERO);
    assert_eq!(lines(&draw(&section, &never, &Marks::default()))[2..], ["1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn the_unread_marker_stands_where_the_person_left_off_and_ends_a_group() {
    let (_, section) = seen(3, vec![by_ada(1, 0), by_ada(2, 1), by_ada(3, 2)]).await;
    assert_eq!(drawn(&section, &unread_from(2)), ["start", "31 Jan", "1", "unread", "2 first", "3 last"]);
    assert_eq!(drawn(&section, &unread_from(1))[..3], ["start", "31 Jan", "unread"]);
    assert!(!drawn(&section, &unread_from(4)).contains(&"unread".to_owned()), "nothing is above it");
}

#[tokio::test]
async fn the_unread_marker_is_out_of_sight_above_the_section() {
    let (store, _) = seen(5, (1..=5).map(|n| by_ada(n, n)).collect()).await;
    let newest = store.section(thread(), Section::newest(2)).await.unwrap();
    assert_eq!(drawn(&newest, &unread_from(3)), ["31 Jan", "4 first", "5 last"]);
    assert_eq!(drawn(&newest, &unread_from(4)), ["31 Jan", "unread", "4 first", "5 last"]);
}

#[tokio::test]
async fn gaps_stand_between_messages_and_at_the_end() {
    let (store, _) = seen(3, vec![by_ada(1, 0), by_ada(2, 1), by_ada(3, 2)]).await;
    given::pulled_messages(&store, vec![by_ada(6, 3)]).await;
    given::pulled(
        &store,
        fieldpost_domain::Changes { conversations: vec![build::direct(1, 9)], ..fieldpost_domain::Changes::default() },
    )
    .await;
    let section = store.section(thread(), Section::newest(100)).await.unwrap();
    let filling = Marks { filling: [seq(5)].into(), ..Marks::default() };
    let expected = ["start", "31 Jan", "1 first", "2 middle", "3 last", "gap 4-5 loading", "6", "gap 7-9"];
    assert_eq!(drawn(&section, &filling), expected);
    let unread_in_gap = drawn(&section, &unread_from(5));
    assert_eq!(unread_in_gap[5..7], ["unread", "gap 4-5"]);
}

#[tokio::test]
async fn what_loads_takes_the_place_of_the_start() {
    let (_, section) = seen(1, vec![by_ada(1, 0)]).await;
    let loading = Marks { loading_older: true, ..Marks::default() };
    assert_eq!(drawn(&section, &loading), ["loading Backwards", "31 Jan", "1"]);
}

#[tokio::test]
async fn unsent_messages_stand_at_the_end_and_days_never_go_back() {
    // The clock of this device is a day behind.
    let (store, _) = seen(1, vec![by_ada(1, DAY)]).await;
    let unsent = fieldpost_domain::NewMessage { composed_at: at(0), ..build::composed(1, thread()) };
    store.send(build::mutation_id(1), unsent.into()).await.unwrap();
    let section = store.section(thread(), Section::newest(100)).await.unwrap();
    assert_eq!(drawn(&section, &Marks::default()), ["start", "01 Feb", "1", "unsent"]);
    let items = draw(&section, &TimelineOptions::default(), &Marks::default());
    let last = items.last().unwrap();
    assert_eq!(last.id(), ItemId::Message(build::own_message_id(1)));
    assert_eq!(last.message().unwrap().sender_id, iris().id);
}

#[tokio::test]
async fn system_messages_belong_to_no_group() {
    let system = Message { kind: MessageKind::System, ..by_ada(2, 1) };
    let (_, section) = seen(3, vec![by_ada(1, 0), system, by_ada(3, 2)]).await;
    assert_eq!(drawn(&section, &Marks::default()), ["start", "31 Jan", "1", "2", "3"]);
}

#[tokio::test]
async fn ids_of_items_are_unique() {
    let (store, _) = seen(3, vec![by_ada(1, 0), by_ada(2, DAY), by_ada(3, 3 * DAY)]).await;
    given::sent(&store, 1, thread()).await;
    given::pulled_messages(&store, vec![by_ada(9, 4 * DAY)]).await;
    let section = store.section(thread(), Section::newest(100)).await.unwrap();
    let items = draw(&section, &TimelineOptions::default(), &unread_from(2));
    let ids: std::collections::HashSet<_> = items.iter().map(TimelineItem::id).collect();
    assert_eq!(ids.len(), items.len(), "{items:#?}");
}
