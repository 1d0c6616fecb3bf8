//! Checks the invariants of records: each decision and page of the server, each pass, and a healed world.

mod after_pass;
mod decisions;
mod device;
mod server;

pub(super) use after_pass::Before;
pub(super) use decisions::{Arrived, batch, decided, page};
pub(super) use device::survives;

use super::world::World;
use crate::simulator::{Breach, Invariant};
use fieldpost_storage::StorageError;

/// Checks a healed world.
pub(super) async fn judge(world: &World) -> Result<(), Breach> {
    for device in &world.devices {
        device::nothing_waits(world, device).await?;
        if !world.sides.records {
            continue;
        }
        device::nothing_is_given_up(world, device).await?;
        device::survives(&world.shared, device, Invariant::RecordsNoLoss).await?;
        device::conflicts_are_true(world, device).await?;
        device::same_records(world, device).await?;
        device::reads_are_logged(world, device).await?;
    }
    server::nothing_is_doubled(world)?;
    server::the_last_write_won(world)
}

/// An unreadable store counts as lost.
fn unreadable(error: StorageError) -> Breach {
    Breach::new(Invariant::RecordsCrashSafe, format!("the store cannot be read: {error}"))
}
