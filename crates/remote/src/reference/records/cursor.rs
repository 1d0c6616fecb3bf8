//! The cursors of records: `r.<epoch>.<who>.<tables>.<from>`, and then
//!
//! - during a load `load.<table>.<id>`, the last row that was sent (both empty at its start),
//! - during a pass `<to>.<stamp>.<index>`, as in a cursor of messages,
//! - otherwise `rest..`.

use super::RecordKey;
use crate::{
    ExpiredReason, RemoteError, RemoteErrorKind, RemoteResult,
    reference::{feed::Place, snapshot::Snapshot, state::State},
};
use fieldpost_domain::Cursor;
use std::collections::BTreeSet;

/// Where a load or a pass continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// A load, after this row.
    Loading(Option<RecordKey>),
    /// Between passes.
    Resting,
    /// A pass: its end, and the place where it continues.
    Passing(Snapshot, Place),
}

/// A position in the feed, or in a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) epoch: u64,
    pub(super) fingerprint: String,
    pub(super) tables: BTreeSet<usize>,
    /// Everything that this snapshot sees has been delivered, or will be by the load.
    pub(super) from: Snapshot,
    pub(super) stage: Stage,
}

impl Position {
    /// Writes the cursor. None only if the text broke the protocol's rules for cursors.
    pub(super) fn write(&self) -> Option<Cursor> {
        let tables = self.tables.iter().map(ToString::to_string).collect::<Vec<_>>().join("_");
        let stage = match &self.stage {
            Stage::Loading(None) => "load..".to_owned(),
            Stage::Loading(Some(key)) => format!("load.{}.{}", key.table, key.id),
            Stage::Resting => "rest..".to_owned(),
            Stage::Passing(to, place) => format!("{}.{}.{}", to.text(), place.stamp, place.index),
        };
        Cursor::new(format!("r.{:x}.{}.{tables}.{}.{stage}", self.epoch, self.fingerprint, self.from.text())).ok()
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('.').collect();
        let ["r", epoch, fingerprint, tables, from, stage, first, second] = parts[..] else { return None };
        let stage = match (stage, first, second) {
            ("load", "", "") => Stage::Loading(None),
            ("load", table, id) => Stage::Loading(Some(RecordKey { table: table.parse().ok()?, id: id.parse().ok()? })),
            ("rest", "", "") => Stage::Resting,
            (to, stamp, index) => {
                Stage::Passing(Snapshot::read(to)?, Place { stamp: stamp.parse().ok()?, index: index.parse().ok()? })
            }
        };
        let numbers = tables.split('_').filter(|number| !number.is_empty());
        Some(Self {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            fingerprint: fingerprint.to_owned(),
            tables: numbers.map(|number| number.parse().ok()).collect::<Option<_>>()?,
            from: Snapshot::read(from)?,
            stage,
        })
    }

    /// Checks that the server still accepts the cursor for these tables, from somebody with this fingerprint.
    pub(super) fn check(
        &self,
        state: &State,
        tables: &BTreeSet<usize>,
        fingerprint: &str,
        operation: &'static str,
    ) -> RemoteResult<()> {
        let reason = if self.epoch != state.epoch {
            ExpiredReason::Epoch
        } else if self.tables != *tables {
            ExpiredReason::Tables
        } else if self.fingerprint != fingerprint {
            ExpiredReason::Access
        } else if !self.from.covers(&state.compacted) {
            ExpiredReason::Compacted
        } else {
            return Ok(());
        };
        Err(RemoteError::new(RemoteErrorKind::CursorExpired(reason), operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fieldpost_domain::records::RecordId;

    #[test]
    fn a_position_survives_its_text() {
        let from = Snapshot { next: 7, running: [2, 5].into() };
        let key = RecordKey { table: 3, id: RecordId::from_uuid(uuid::Uuid::from_u128(9)) };
        for stage in [
            Stage::Loading(None),
            Stage::Loading(Some(key)),
            Stage::Resting,
            Stage::Passing(Snapshot { next: 9, running: [8].into() }, Place { stamp: 8, index: 3 }),
        ] {
            for tables in [BTreeSet::new(), [0, 12].into()] {
                let (epoch, fingerprint, from) = (0xab, "medic0-2".to_owned(), from.clone());
                let position = Position { epoch, fingerprint, tables, from, stage: stage.clone() };
                assert_eq!(Position::read(position.write().unwrap().as_str()), Some(position));
            }
        }
        assert_eq!(Position::read("1.ab.medic0.7.0.0.0"), None, "a cursor of messages is none");
    }
}
