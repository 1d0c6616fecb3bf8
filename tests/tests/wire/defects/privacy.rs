//! Defect 11: who reads what, and who wrote it.

use super::{Verdict, device::Device, direct_of, old::*, same};
use crate::given::*;
use fieldpost::Window;
use fieldpost_remote::reference::DEMO_BEN as BEN;

/// What Ben sees of Ada's conversation, and how many messages he could write in her name: nothing and none.
fn hers_alone(seen: usize, forged: usize) -> Verdict {
    same(&(seen, forged), &(0, 0))
}

#[tokio::test]
async fn defect_11_a_medic_sees_nothing_of_another_medic_and_cannot_write_in_her_name() {
    let ben = OldCaller { org: 1 };
    let mut rows = vec![("Ada's", "Ada", "I need a day off"), ("Ben's", "Ben", "Kit 4 is short")];
    let seen = select(&rows, ben).iter().filter(|row| row.0 == "Ada's").count();
    insert(&mut rows, ben, ("Ben's", "Ada", "I quit"));
    let forged = rows.iter().filter(|row| row.1 == "Ada" && row.2 == "I quit").count();
    assert!(hers_alone(seen, 0).is_err() && hers_alone(0, forged).is_err());

    let site = Site::new().await;
    let (_phone, client) = site.client(BEN).await;
    let (hers, his) = (direct_of(&site, ADA), direct_of(&site, BEN));
    let ada = site.reference.person_with(ADA).unwrap();
    let device = Device::of(&site, BEN).await;
    assert_eq!(device.claim(ada, hers, "I quit").await, "rejected");
    assert_eq!(device.claim(ada, his, "I quit").await, "applied", "as Ben's own");
    client.trigger_message_sync().await.unwrap();
    let listed = client.conversations().await.unwrap().iter().any(|one| one.id == hers);
    let opened = client.conversation(hers).messages(Window::newest(1)).await.is_ok();
    let stored = [hers, his].map(|conversation| site.reference.messages_of(conversation)).concat();
    let said = stored.iter().filter(|message| message.content.as_deref() == Some("I quit"));
    let forged = said.filter(|message| message.sender_id == ada || message.conversation_id == hers).count();
    hers_alone(usize::from(listed) + usize::from(opened), forged).unwrap();
}
