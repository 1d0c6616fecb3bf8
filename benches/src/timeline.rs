//! A timeline: opening it, and what it costs per committed change while it is on the screen.

use crate::{
    Notes, Size,
    scene::{Scene, conversation_id},
    sending::{CALL, Times},
    subject::Subject,
    watch::Watch,
};
use anyhow::{Context as _, Result, ensure};
use fieldpost::{Client, ConversationId, Fieldpost, OpenAt, TimelineOptions, storage::Replica as _};

const SHOWN: u32 = 50;
const THREADS: u64 = 200;
const CAME: &str = "a message comes in";
const WATCHED: &str = "fieldpost";
const ALONE: &str = "fieldpost, nobody looks";

fn options() -> TimelineOptions {
    TimelineOptions::default().open_at(OpenAt::Newest).page(SHOWN)
}

/// Of a million messages, in 200 threads.
pub(crate) fn run(size: Size, notes: &mut Notes) -> Result<()> {
    let mut scene = Scene::new(THREADS);
    let ours = Subject::new(&scene)?;
    ours.fill(&mut scene, size.pick(20_000, 100_000, 1_000_000))?;
    let client = ours.runtime.block_on(Fieldpost::builder().store(ours.store.clone()).local_only().open())?;
    let mut number = 0;
    for round in notes.rounds(size.pick(1, 5, 15)) {
        let mut times: [Times; 3] = Default::default();
        let [opened, watched, alone] = &mut times;
        for _ in 0..size.pick(3, 100, 300) {
            number = (number + 37) % THREADS;
            opened.add(|| ours.runtime.block_on(open(&client, conversation_id(number))))?;
        }
        for _ in 0..size.pick(3, 50, 100) {
            let next = scene.message(scene.sent()).conversation_id;
            let step = scene.step(1)?;
            let came = ours.runtime.block_on(async {
                let (_timeline, _items, mut updates) = client.conversation(next).timeline(options()).await?;
                let watch = Watch::start();
                let (applied, update) = tokio::join!(ours.store.apply_pull(&step.from, step.page), updates.next());
                let time = watch.stop();
                applied?;
                update.context("the stream has ended")??;
                anyhow::Ok(time)
            })?;
            watched.note(came);
            let step = scene.step(1)?;
            alone.add(|| ours.apply(step))?;
        }
        for (times, case, subject) in [(opened, CALL, WATCHED), (watched, CAME, WATCHED), (alone, CAME, ALONE)] {
            std::mem::take(times).write(notes, case, subject, round)?;
        }
    }
    Ok(())
}

async fn open(client: &Client, id: ConversationId) -> Result<()> {
    let (_, items, _) = client.conversation(id).timeline(options()).await?;
    let messages = items.iter().filter(|item| item.message().is_some()).count();
    ensure!(messages == SHOWN as usize, "{messages} messages instead of {SHOWN}");
    Ok(())
}
