//! Timelines over the SDK, with a server that can be out of reach.

use fieldpost::{
    Client, Conversation, Edge, Error, Fieldpost, ItemId, OpenAt, Retention, Seq, Timeline, TimelineItem,
    TimelineOptions, TimelineUpdate, Updates, Vector,
};
use fieldpost_remote::reference::{Profile, ReferenceServer};
use fieldpost_storage::memory::MemoryStore;
use fieldpost_testkit::{Network, env};
use std::sync::Arc;

const EMAIL: &str = "robin@fieldpost.test";

const fn profile(first_name: &'static str, email: &'static str) -> Profile<'static> {
    Profile { first_name, last_name: "Hale", email, password: "password" }
}

/// An admin's phone, on which the newest 100 of `messages` messages by a medic are.
struct Phone {
    network: Arc<Network<ReferenceServer>>,
    client: Client,
    conversation: Conversation,
}

impl Phone {
    async fn with(messages: u32, retention: Retention) -> Self {
        let server = ReferenceServer::new();
        let org = server.add_org("Site");
        let admin = server.add_admin(org, profile("Robin", EMAIL));
        let ada = server.add_medic(org, profile("Ada", "ada@fieldpost.test"));
        let thread = server.open_direct(org, ada.medic_id, admin);
        for n in 1..=messages {
            server.insert_message(thread, ada.person_id, &format!("message {n}"));
        }
        let network = Arc::new(Network::new(server));
        let store = Arc::new(MemoryStore::new());
        let builder = Fieldpost::builder().store(store).remote(network.clone()).env(env(1).0).retention(retention);
        let client = builder.open().await.unwrap();
        client.sign_in(EMAIL, "password").await.unwrap();
        client.sync().await.unwrap();
        let conversation = client.conversation(thread);
        Self { network, client, conversation }
    }
}

/// A timeline on a screen, which is drawn by diffs alone.
struct Screen {
    timeline: Timeline,
    items: Vector<TimelineItem>,
    updates: Updates<TimelineUpdate>,
}

impl Screen {
    async fn open(phone: &Phone, options: TimelineOptions) -> Self {
        let (timeline, items, updates) = phone.conversation.timeline(options).await.unwrap();
        Self { timeline, items, updates }
    }

    /// Draws until it looks like that.
    async fn until(&mut self, looks: impl Fn(&Vector<TimelineItem>) -> bool) {
        while !looks(&self.items) {
            for diff in self.updates.next().await.unwrap().unwrap().diffs {
                diff.apply(&mut self.items);
            }
        }
    }

    fn messages(&self) -> usize {
        count(&self.items)
    }

    fn first(&self) -> Option<&str> {
        self.items.iter().find_map(TimelineItem::message).and_then(|message| message.content.as_deref())
    }
}

fn count(items: &Vector<TimelineItem>) -> usize {
    items.iter().filter_map(TimelineItem::message).count()
}

#[tokio::test]
async fn a_person_scrolls_up_to_the_beginning_of_a_thread() {
    let phone = Phone::with(130, Retention::default()).await;
    let mut screen = Screen::open(&phone, TimelineOptions::default().open_at(OpenAt::Newest).page(60)).await;
    assert_eq!((screen.messages(), screen.timeline.ends().older), (60, Edge::Here));

    assert!(screen.timeline.paginate_backwards().await.unwrap());
    screen.until(|items| count(items) == 100).await;
    assert_eq!(screen.timeline.ends().older, Edge::OnServer);

    // The rest is on the server, and the timeline says that it loads.
    let timeline = screen.timeline.clone();
    let paginating = tokio::spawn(async move { timeline.paginate_backwards().await });
    screen.until(|items| items[0] == TimelineItem::Start).await;
    assert!(paginating.await.unwrap().unwrap());
    assert_eq!((screen.messages(), screen.first()), (130, Some("message 1")));
    assert!(!screen.timeline.paginate_backwards().await.unwrap(), "there is nothing else");
    assert_eq!(screen.timeline.ends().older, Edge::End);
}

#[tokio::test]
async fn without_a_network_older_messages_are_an_error_that_leaves_the_timeline_as_it_is() {
    let phone = Phone::with(130, Retention::default()).await;
    let mut screen = Screen::open(&phone, TimelineOptions::default().open_at(OpenAt::Newest).page(100)).await;
    phone.network.go_offline();
    assert!(matches!(screen.timeline.paginate_backwards().await, Err(Error::Offline(_))));
    phone.conversation.send("still writing").await.unwrap();
    screen.until(|items| count(items) == 101).await;
    assert!(!screen.items.iter().any(|item| matches!(item, TimelineItem::Loading(_))));
}

#[tokio::test]
async fn it_opens_where_the_person_left_off_and_goes_elsewhere() {
    let phone = Phone::with(90, Retention::default()).await;
    phone.conversation.mark_read(Seq::new(40)).await.unwrap();
    let mut screen = Screen::open(&phone, TimelineOptions::default().page(20)).await;
    let marker = screen.items.iter().position(|item| *item == TimelineItem::Unread).unwrap();
    assert_eq!(screen.items[marker + 1].message().unwrap().content.as_deref(), Some("message 41"));
    assert_eq!(screen.timeline.ends().newer, Edge::Here);

    screen.timeline.go_to(OpenAt::Newest).await.unwrap();
    screen
        .until(|items| items.last().and_then(TimelineItem::message).is_some_and(|it| it.seq == Some(Seq::new(90))))
        .await;
    assert_eq!(screen.timeline.ends().newer, Edge::End);
    assert!(screen.timeline.paginate_backwards().await.unwrap());
    screen.until(|items| count(items) == 40).await;
}

#[tokio::test]
async fn a_person_decides_about_messages_of_the_timeline() {
    let phone = Phone::with(3, Retention::default()).await;
    let mut screen = Screen::open(&phone, TimelineOptions::default()).await;
    phone.network.go_offline();
    let sent = phone.conversation.send("on my wya").await.unwrap();
    screen.until(|items| count(items) == 4).await;
    let item = ItemId::Message(sent.id());
    screen.timeline.edit(item, "on my way").await.unwrap();
    screen
        .until(|items| {
            items.last().and_then(TimelineItem::message).is_some_and(|it| it.content.as_deref() == Some("on my way"))
        })
        .await;
    screen.timeline.retry(item).await.unwrap();
    screen.timeline.cancel(item).await.unwrap();
    screen.until(|items| count(items) == 3).await;
    assert!(matches!(screen.timeline.retry(ItemId::Start).await, Err(Error::NotFound)));
    assert!(matches!(screen.timeline.fill_gap(item).await, Err(Error::NotFound)));
    assert!(!screen.timeline.fill_gap(ItemId::Gap(Seq::new(2))).await.unwrap(), "nothing is missing there");
}

#[tokio::test]
async fn retention_drops_what_was_read_and_the_timeline_fetches_it_again() {
    let phone = Phone::with(90, Retention::last(10)).await;
    assert_eq!(phone.client.apply_retention().await.unwrap(), 0, "all of it is unread");
    phone.conversation.mark_read(Seq::new(90)).await.unwrap();
    let mut screen = Screen::open(&phone, TimelineOptions::default().page(50)).await;
    assert_eq!(screen.messages(), 50);
    assert_eq!(phone.client.apply_retention().await.unwrap(), 80);
    screen.until(|items| count(items) == 10).await;

    assert!(screen.timeline.paginate_backwards().await.unwrap());
    screen.until(|items| count(items) > 50).await;
    assert_eq!(phone.client.total_unread().await.unwrap(), 0);
}

#[tokio::test]
async fn a_retention_of_zero_is_refused() {
    for retention in [Retention::last(0), Retention::days(0), Retention { last: Some(3), days: Some(0) }] {
        let opened = Fieldpost::builder().store(Arc::new(MemoryStore::new())).local_only().retention(retention).open();
        assert!(matches!(opened.await, Err(Error::InvalidRetention)));
    }
    let forever = Retention::days(u32::MAX);
    let client = Fieldpost::builder().store(Arc::new(MemoryStore::new())).local_only().retention(forever).open();
    assert_eq!(client.await.unwrap().apply_retention().await.unwrap(), 0);
}

#[tokio::test]
async fn the_stream_ends_with_the_client_although_the_handle_lives() {
    let phone = Phone::with(1, Retention::default()).await;
    let mut screen = Screen::open(&phone, TimelineOptions::default()).await;
    phone.client.close().await.unwrap();
    assert!(screen.updates.next().await.is_none());
}
