//! A chapter of the demo: what was written is corrected, and taken away, without a network.

use super::{stage::Stage, story::Story};
use crate::failure::Failure;
use fieldpost::{Client, ConversationId, MessageId, ThreadMessage, Window};

/// The medic corrects one message and deletes another while she is offline; the admin deletes one of hers.
pub(super) async fn edited_and_deleted(stage: &Stage, story: &Story) -> Result<(), Failure> {
    story.chapter("Second thoughts, offline");
    let client = stage.medic.start_app().await?;
    let thread = stage.thread(&client).await?;
    let conversation = client.conversation(thread);
    let [place, slip, mistaken] = ["I am at gate 3", "Sorry, wrong chat", "Crane 2 works again"];
    let (place, slip, mistaken) = (
        conversation.send(place).await?.id(),
        conversation.send(slip).await?.id(),
        conversation.send(mistaken).await?.id(),
    );
    client.sync().await?;
    stage.medic.network.offline(true).await;
    conversation.edit(place, "I am at gate 4").await?;
    conversation.delete(slip).await?;
    conversation.react(mistaken, "🎉").await?;
    story.claim(
        "the corrected text, offline",
        text(&client, thread, place).await?,
        Some("I am at gate 4".to_owned()),
    )?;
    story.claim("the deleted text, offline", text(&client, thread, slip).await?, None)?;
    story.say(
        "Offline she corrects one message, deletes another and reacts to a third: on her device all is done at once.",
    );
    stage.medic.network.offline(false).await;
    client.sync().await?;
    client.close().await?;

    let admin = stage.admin.start_app().await?;
    admin.sync().await?;
    story.claim("the corrected text", text(&admin, thread, place).await?, Some("I am at gate 4".to_owned()))?;
    let deleted = find(&admin, thread, slip).await?.is_some_and(|message| message.deleted);
    story.claim("the deleted message shows as deleted", deleted, true)?;
    story.say("The admin sees the new text, and that a message was deleted; its content is on no device any more.");
    let reacted = find(&admin, thread, mistaken).await?.map_or(0, |message| message.reactions.len());
    story.claim("the reaction has arrived", reacted, 1)?;
    admin.conversation(thread).delete(mistaken).await?;
    admin.sync().await?;
    admin.close().await?;
    let client = stage.medic.start_app().await?;
    client.sync().await?;
    story.claim("what the admin has deleted", text(&client, thread, mistaken).await?, None)?;
    story.say("The admin deletes a third one, as admins may: it leaves the medic's device with her next sync.");
    Ok(client.close().await?)
}

async fn find(client: &Client, thread: ConversationId, id: MessageId) -> Result<Option<ThreadMessage>, Failure> {
    let window = client.conversation(thread).messages(Window::newest(u32::MAX)).await?;
    Ok(window.messages.into_iter().find(|message| message.id == id))
}

async fn text(client: &Client, thread: ConversationId, id: MessageId) -> Result<Option<String>, Failure> {
    Ok(find(client, thread, id).await?.and_then(|message| message.content))
}
