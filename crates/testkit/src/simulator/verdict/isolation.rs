//! A blocked lane delays no other.

use super::unreadable;
use crate::simulator::{Breach, Invariant, network::Hub, world::Device};
use fieldpost_storage::EntryState;

/// After several passes beside poisoned lanes, only those lanes still have queued mutations.
pub(crate) async fn isolation(device: &Device, hub: &Hub) -> Result<(), Breach> {
    let entries = device.look().await.map_err(unreadable)?.entries(u32::MAX).await.map_err(unreadable)?;
    let poisoned = hub.poisoned().clone();
    let waiting = entries.iter().find(|entry| {
        !matches!(entry.state, EntryState::Failed(_))
            && !poisoned.contains(&hub.server.canonical(entry.conversation_id))
    });
    waiting.map_or(Ok(()), |entry| {
        let what = format!(
            "a {} of device {} waits in {} while others are poisoned: {poisoned:?}",
            entry.kind, device.number, entry.conversation_id
        );
        Err(Breach::new(Invariant::Isolation, what))
    })
}
