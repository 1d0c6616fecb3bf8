//! The cost of observers: a message is written or arrives while the list, its thread and the badge are on the screen,
//! until all of them show it. The same without observers is measured for comparison.

use crate::{
    Notes, Size,
    scene::{Scene, conversation_id, viewer},
    sending::Times,
    subject::Subject,
    watch::Watch,
};
use anyhow::{Context as _, Result};
use fieldpost::{
    Client, ConversationQuery, ConversationSummary, Fieldpost, Updates, VectorDiff, Window, storage::Replica as _,
};

const SHOWN: u32 = 50;
const WATCHED: &str = "fieldpost";
const ALONE: &str = "fieldpost, nobody looks";

pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    for conversations in size.pick(vec![60], vec![1_000, 10_000], vec![1_000, 10_000, 100_000]) {
        with_so_many(conversations, size, notes)?;
    }
    Ok(())
}

fn with_so_many(conversations: u64, size: Size, notes: &mut Notes) -> Result<()> {
    let mut scene = Scene::new(conversations);
    let ours = Subject::new(&scene)?;
    ours.fill(&mut scene, 2 * conversations)?;
    let client = ours.runtime.block_on(Fieldpost::builder().store(ours.store.clone()).local_only().open())?;
    let [written, came] = ["written", "came in"].map(|what| format!("{conversations} conversations, {what}"));
    for round in notes.rounds(size.pick(1, 4, 8)) {
        let mut times: [Times; 4] = Default::default();
        let [sent_alone, came_alone, sent_watched, came_watched] = &mut times;
        let mut screen = ours.runtime.block_on(Screen::open(&client))?;
        for number in 0..size.pick(3, 50, 100) {
            let conversation = conversation_id(number * 7 % conversations);
            ours.runtime.block_on(screen.until_written(sent_watched, &client, conversation))?;
            ours.runtime.block_on(screen.until_there(came_watched, &client, &ours, &mut scene))?;
        }
        drop(screen);
        for number in 0..size.pick(3, 50, 100) {
            let conversation = client.conversation(conversation_id(number * 7 % conversations));
            sent_alone.add(|| Ok(ours.runtime.block_on(conversation.send(TEXT)).map(drop)?))?;
            let step = scene.step(1)?;
            came_alone.add(|| ours.apply(step))?;
        }
        for (times, case, subject) in [
            (sent_watched, &written, WATCHED),
            (sent_alone, &written, ALONE),
            (came_watched, &came, WATCHED),
            (came_alone, &came, ALONE),
        ] {
            std::mem::take(times).write(notes, case, subject, round)?;
        }
    }
    Ok(())
}

const TEXT: &str = "On my way to gate 3 with the stretcher";

/// The observed streams.
struct Screen {
    lines: Updates<Vec<VectorDiff<ConversationSummary>>>,
    badge: Updates<u64>,
}

impl Screen {
    async fn open(client: &Client) -> Result<Self> {
        let (_, lines) = client.watch_conversations(ConversationQuery::default()).await?;
        let mut badge = client.watch_total_unread();
        told(&mut badge).await?;
        Ok(Self { lines, badge })
    }

    /// The time from the call until the list and the thread show the message. The badge learns that the message does
    /// not change its count.
    async fn until_written(
        &mut self,
        times: &mut Times,
        client: &Client,
        conversation: fieldpost::ConversationId,
    ) -> Result<()> {
        let conversation = client.conversation(conversation);
        let (_, mut thread) = conversation.watch(Window::newest(SHOWN)).await?;
        let watch = Watch::start();
        let (sent, line, message) = tokio::join!(conversation.send(TEXT), told(&mut self.lines), told(&mut thread));
        times.note(watch.stop());
        sent?;
        line?;
        message?;
        Ok(())
    }

    /// The time from the page until list, thread and badge show the message.
    async fn until_there(
        &mut self,
        times: &mut Times,
        client: &Client,
        ours: &Subject,
        scene: &mut Scene,
    ) -> Result<()> {
        let next = scene.message(scene.sent());
        let (_, mut thread) = client.conversation(next.conversation_id).watch(Window::newest(SHOWN)).await?;
        let step = scene.step(1)?;
        let watch = Watch::start();
        let badge = async {
            match next.sender_id == viewer().id {
                true => Ok(0),
                false => told(&mut self.badge).await,
            }
        };
        let (applied, line, message, badge) =
            tokio::join!(ours.store.apply_pull(&step.from, step.page), told(&mut self.lines), told(&mut thread), badge);
        times.note(watch.stop());
        applied?;
        line?;
        message?;
        badge?;
        Ok(())
    }
}

async fn told<T>(updates: &mut Updates<T>) -> Result<T> {
    Ok(updates.next().await.context("the stream has ended")??)
}
