//! Defect 11: who reads what, and who wrote it.

use super::{Verdict, device::Device, old::*, same};
use crate::given::*;
use fieldpost_remote::reference::DEMO_BEN as BEN;
use fieldpost_tests::thread;

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
    let ada = site.reference.person_with(ADA).unwrap();
    let direct = |person| site.reference.conversations_of(person).into_iter().find(|one| one.medic_id.is_some());
    let (_phone, client) = site.client(BEN).await;
    let device = Device::of(&site, BEN).await;
    let (hers, his) = (direct(ada).unwrap().id, direct(device.person).unwrap().id);
    for conversation in [hers, his] {
        device.push(&device.message(conversation, ada, "I quit")).await;
    }
    client.trigger_message_sync().await.unwrap();
    let listed = client.conversations().await.unwrap().iter().filter(|one| one.id == hers).count();
    let stored = [hers, his].map(|conversation| site.reference.messages_of(conversation)).concat();
    let quit = stored.iter().filter(|message| message.content.as_deref() == Some("I quit"));
    let forged = quit.filter(|message| message.sender_id == ada || message.conversation_id == hers).count();
    hers_alone(listed + thread(&client, hers).await.len(), forged).unwrap();
}
