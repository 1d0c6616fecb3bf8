//! A chapter of the demo: how far messages got, in a thread and in a broadcast.

use super::{stage::Stage, story::Story};
use crate::failure::Failure;
use fieldpost::{Client, MessageId, ReceiptCounts, Seq};

/// The admin writes to the medic and to everybody; the medic receives both, and reads them.
pub(super) async fn received_and_read(stage: &Stage, story: &Story) -> Result<(), Failure> {
    story.chapter("How far it got");
    let admin = stage.admin.start_app().await?;
    let direct = admin.conversation(stage.thread(&admin).await?).send("Are you on site?").await?.id();
    let notices = admin.open_broadcast(None).await?;
    let announced = notices.send("The north gate is closed today").await?.id();
    admin.sync().await?;
    story.claim("the message to the medic", status(&admin, direct).await?, "sent".to_owned())?;
    admin.close().await?;
    story.say("The admin writes to the medic and to everybody.");

    // Her app says what has arrived with the next thing that it sends, or by itself after five seconds.
    for _ in 0..2 {
        let medic = stage.medic.start_app().await?;
        medic.sync().await?;
        medic.close().await?;
    }
    let admin = stage.admin.start_app().await?;
    admin.sync().await?;
    story.claim("the message to the medic", status(&admin, direct).await?, "delivered".to_owned())?;
    let counts = counts(&admin, announced).await?;
    story.claim("medics whom the broadcast has reached", counts.delivered, 1)?;
    story.say(&format!(
        "It is on her phone: the message is delivered, the broadcast to {} of {}.",
        counts.delivered, counts.recipients
    ));
    let notices = notices_of(&admin, announced).await?;
    admin.close().await?;

    let medic = stage.medic.start_app().await?;
    for conversation in [stage.thread(&medic).await?, notices] {
        medic.conversation(conversation).mark_read(Seq::new(u64::MAX)).await?;
    }
    let refused = medic.conversation(notices).send("Which one?").await.is_err();
    story.claim("a medic only reads a broadcast", refused, true)?;
    medic.sync().await?;
    medic.close().await?;
    let admin = stage.admin.start_app().await?;
    admin.sync().await?;
    story.claim("the message to the medic", status(&admin, direct).await?, "read".to_owned())?;
    let info = admin.message_info(announced).await?;
    let readers: Vec<_> =
        info.receipts.iter().filter(|receipt| receipt.read).map(|receipt| receipt.name.clone()).collect();
    story.claim("who has read the broadcast", readers, vec!["Ada Moss".to_owned()])?;
    story.say("She opens both: the message is read, and the admin sees that Ada Moss has read the broadcast.");
    Ok(admin.close().await?)
}

async fn status(client: &Client, message: MessageId) -> Result<String, Failure> {
    Ok(client.message_info(message).await?.message.status.as_str().to_owned())
}

async fn counts(client: &Client, message: MessageId) -> Result<ReceiptCounts, Failure> {
    Ok(client.message_info(message).await?.message.receipts.unwrap_or_default())
}

async fn notices_of(client: &Client, message: MessageId) -> Result<fieldpost::ConversationId, Failure> {
    Ok(client.message_info(message).await?.message.conversation_id)
}
