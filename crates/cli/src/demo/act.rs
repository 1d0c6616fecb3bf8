//! The chapters of the demo.

use super::{stage::Stage, story::Story, writer};
use crate::failure::Failure;
use fieldpost::{Error, MessageId, Seq, Window};
use fieldpost_devserver::{Endpoint, Fault};

/// What the admin writes while the medic is offline.
const ANNOUNCEMENTS: [&str; 2] = ["Crane 2 is closed until noon", "Please check the first-aid kit at gate 3"];

pub(super) async fn first_sync(stage: &Stage, story: &Story) -> Result<(), Failure> {
    story.chapter("Two devices, one server");
    for (name, device) in [("medic", &stage.medic), ("admin", &stage.admin)] {
        let client = device.start_app().await?;
        device.sign_in(&client).await?;
        let report = client.sync().await?;
        let conversations = client.conversations().await?;
        story.say(&format!(
            "The {name}'s first sync: {} conversations, {} requests.",
            conversations.len(),
            report.requests
        ));
        let thread = stage.thread(&client).await?;
        client.conversation(thread).mark_read(Seq::new(u64::MAX)).await?;
        client.sync().await?;
        client.close().await?;
    }
    Ok(())
}

pub(super) async fn offline_and_killed(stage: &Stage, story: &Story, messages: u32) -> Result<Vec<MessageId>, Failure> {
    story.chapter("The medic goes offline");
    stage.medic.network.offline(true).await;
    let client = stage.medic.start_app().await?;
    let thread = stage.thread(&client).await?;
    client.close().await?;
    let accepted = writer::write_then_kill(&stage.medic, thread, messages).await?;
    story.say(&format!("She writes {messages} messages; then her app is killed (SIGKILL)."));
    let client = stage.medic.start_app().await?;
    let pending = client.pending().await?.pending;
    story.claim("messages waiting after the kill", pending, u64::from(messages))?;
    story.say(&format!("Reopened: {pending} messages are there, waiting."));
    let offline = matches!(client.sync().await, Err(Error::Offline(_)));
    story.claim("a sync without a network is offline", offline, true)?;
    story.claim("messages waiting after that", client.pending().await?.pending, u64::from(messages))?;
    client.close().await?;
    Ok(accepted)
}

pub(super) async fn admin_writes_meanwhile(stage: &Stage, story: &Story) -> Result<Vec<MessageId>, Failure> {
    story.chapter("Meanwhile the admin writes");
    let client = stage.admin.start_app().await?;
    let thread = stage.thread(&client).await?;
    let mut announced = Vec::new();
    for text in ANNOUNCEMENTS {
        announced.push(client.conversation(thread).send(text).await?.id());
        story.say(&format!("Admin: {text}"));
    }
    client.sync().await?;
    client.close().await?;
    Ok(announced)
}

pub(super) async fn network_returns(stage: &Stage, story: &Story, messages: u32) -> Result<(), Failure> {
    story.chapter("The network returns, and loses an answer");
    stage.medic.network.offline(false).await;
    stage.medic.network.order(Endpoint::Push, 1, Fault::LoseAnswer);
    let client = stage.medic.start_app().await?;
    let report = client.sync().await?;
    story.claim("answers lost on the way", report.repeated, 1)?;
    story.claim("messages acknowledged", report.pushed, u64::from(messages))?;
    story.say("The server stored her messages, but its answer never arrived. They were sent again under the same ids,");
    story.say(&format!(
        "and the server knew them: {} acknowledged, {} new for her.",
        report.pushed, report.new_messages
    ));
    client.close().await?;
    let admin = stage.admin.start_app().await?;
    let report = admin.sync().await?;
    story.say(&format!("The admin syncs: {} new.", report.new_messages));
    story.claim("messages that reached the admin", report.new_messages, u64::from(messages))?;
    Ok(admin.close().await?)
}

pub(super) async fn unread_until_read(stage: &Stage, story: &Story, announced: usize) -> Result<(), Failure> {
    story.chapter("Unread until read");
    let client = stage.medic.start_app().await?;
    let thread = stage.thread(&client).await?;
    let unread =
        || async { Ok::<_, Failure>(client.conversation(thread).summary().await?.map(|thread| thread.unread)) };
    story.claim("unread on the medic's device", unread().await?, Some(announced as u64))?;
    story.say(&format!("On the medic's device {announced} messages are unread: those the admin wrote meanwhile."));
    client.conversation(thread).mark_read(Seq::new(u64::MAX)).await?;
    story.claim("unread after reading", unread().await?, Some(0))?;
    client.sync().await?;
    story.claim("unread after telling the server", unread().await?, Some(0))?;
    story.say("She opens the thread: 0 unread, on the device at once and then on the server.");
    client.close().await?;
    let admin = stage.admin.start_app().await?;
    admin.sync().await?;
    let window = admin.conversation(thread).messages(Window::newest(u32::MAX)).await?;
    let read = window.messages.iter().filter(|message| message.mine && message.status.as_str() == "read").count();
    story.claim("the admin's messages shown as read", read >= announced, true)?;
    story.say("The admin sees that they were read.");
    Ok(admin.close().await?)
}
