//! Receipts: what was read has arrived, nothing has arrived that was not sent, and the status of messages follows the
//! markers.

use super::unreadable;
use crate::simulator::{Breach, Invariant, World, world::Device};
use fieldpost_domain::{ConversationId, Message, MessageStatus, ReadMarker, Seq};
use fieldpost_storage::Store;

pub(super) async fn receipts_agree(world: &World, device: &Device, store: &dyn Store) -> Result<(), Breach> {
    for conversation in world.hub.server.conversations_of(device.owner.id) {
        let there = world.hub.server.markers_of(conversation.id);
        for marker in &there {
            is_sound("the server", marker, conversation.last_seq)?;
        }
        for message in world.hub.server.messages_of(conversation.id) {
            status_follows(&message, &there)?;
        }
        for marker in store.markers(conversation.id).await.map_err(unreadable)? {
            is_sound(&format!("device {}", device.number), &marker, Seq::new(u64::MAX))?;
        }
    }
    Ok(())
}

fn is_sound(whose: &str, marker: &ReadMarker, last: Seq) -> Result<(), Breach> {
    if marker.read_seq <= marker.delivered_seq && marker.delivered_seq <= last {
        return Ok(());
    }
    Err(breach(marker.conversation_id, format!("{whose} has {marker:?}, of {last} messages")))
}

fn status_follows(message: &Message, markers: &[ReadMarker]) -> Result<(), Breach> {
    let by = markers.iter().filter(|marker| marker.person_id != message.sender_id).map(|marker| {
        if marker.read_seq >= message.seq {
            MessageStatus::Read
        } else if marker.delivered_seq >= message.seq {
            MessageStatus::Delivered
        } else {
            MessageStatus::Sent
        }
    });
    let furthest = by.max().unwrap_or(MessageStatus::Sent);
    if message.status >= furthest {
        return Ok(());
    }
    let what = format!("message {} is {:?}, and somebody's marker says {furthest:?}", message.seq, message.status);
    Err(breach(message.conversation_id, what))
}

fn breach(conversation: ConversationId, what: String) -> Breach {
    Breach::new(Invariant::Convergence, format!("{conversation}: {what}"))
}
