//! Defect 3: what happens to a message after a phone has it.

use super::{Verdict, old::*, same};
use crate::given::*;
use fieldpost::{Client, MessageId, MessageStatus, Window};

/// A message that was read meanwhile shows that, and one that was deleted meanwhile is not shown.
fn changes_arrived(read: Option<&str>, deleted: Option<&str>) -> Verdict {
    same(&(read, deleted), &(Some("read"), None))
}

#[tokio::test]
async fn defect_3_a_message_that_is_read_and_one_that_is_deleted_later_show_it() {
    let (mut server, mut phone) = (OldServer::default(), OldPhone::default());
    let thread = server.open();
    let (read, deleted) = (server.write(thread, "Read me"), server.write(thread, "Wrong thread"));
    phone.pull(&mut server);
    server.now += 1;
    server.messages[read].status = "read";
    server.messages[deleted].deleted = true;
    phone.pull(&mut server);
    assert!(changes_arrived(phone.status(read), None).is_err());
    assert!(changes_arrived(Some("read"), phone.status(deleted)).is_err());

    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let written = write(&ada, 2).await;
    ada.trigger_message_sync().await.unwrap();
    assert!(site.reference.set_status(written[0], MessageStatus::Read));
    assert!(site.reference.soft_delete(written[1]));
    ada.trigger_message_sync().await.unwrap();
    let (read, deleted) = (status(&ada, written[0]).await, status(&ada, written[1]).await);
    changes_arrived(read.as_deref(), deleted.as_deref()).unwrap();
}

/// The status that a device shows for a message; none if it shows none, or that the message is deleted.
async fn status(client: &Client, id: MessageId) -> Option<String> {
    let window = client.conversation(adas(client).await).messages(Window::newest(10)).await.unwrap();
    let message = window.messages.into_iter().find(|message| message.id == id && !message.deleted)?;
    Some(message.status.as_str().to_owned())
}
