//! Checks the invariants: some right after each pass, the rest after healing.

mod after_pass;
mod isolation;
mod outbox;
mod reactions;
mod receipts;
mod search;
mod settings;
mod thread;
mod visibility;

pub(super) use after_pass::{Before, patience};
pub(super) use isolation::isolation;
pub(super) use outbox::survives;
pub(super) use search::search_agrees;

use super::{Breach, Invariant, World};
use fieldpost_storage::StorageError;

/// Checks a healed world.
pub(super) async fn judge(world: &World) -> Result<(), Breach> {
    for device in &world.devices {
        let store = device.look().await.map_err(unreadable)?;
        outbox::nothing_waits(device, store.as_ref()).await?;
        outbox::nothing_is_given_up(world, device, store.as_ref()).await?;
        outbox::nothing_is_lost(world, device).await?;
        outbox::words_are_kept(world, device).await?;
        outbox::order_is_kept(world, device)?;
        visibility::same_conversations(world, device, store.as_ref()).await?;
        thread::same_threads(world, device).await?;
        receipts::receipts_agree(world, device, store.as_ref()).await?;
        // A second restore can bring back what the first one lost, in parts of a thread that a first load does not
        // fetch.
        outbox::nothing_is_wrongly_lost(world, device, store.as_ref()).await?;
        search_agrees(&format!("device {}", device.number), store.as_ref()).await?;
        visibility::nothing_hidden_is_left(world, device, store.as_ref()).await?;
        settings::same_settings(world, device, store.as_ref()).await?;
        settings::the_last_wish_counts(world, device).await?;
        settings::drafts_are_kept(device, store.as_ref()).await?;
        visibility::same_people(world, device, store.as_ref()).await?;
    }
    outbox::what_was_deleted_is_gone(world).await?;
    outbox::nothing_is_doubled(world)
}

/// An unreadable store counts as lost.
pub(super) fn unreadable(error: StorageError) -> Breach {
    Breach::new(Invariant::CrashSafe, format!("the store cannot be read: {error}"))
}
