//! The format of this server's cursors and continuations, which are opaque in the protocol, and their validation.
//!
//! A cursor is `1.<epoch>.<who>.<from>.<to>.<stamp>.<index>`. `who` is the org and role it was made for; `from` and
//! `to` are snapshots. During a pass `to` is its fixed end and `stamp.index` the next place. Between passes both are
//! zero, and the next pass brings what `from` does not see.
//!
//! A continuation of a bootstrap is `<cursor>/<total>/<phase>/<what is left>`. The list is fixed when the bootstrap
//! starts, and the client carries it from page to page, so the server keeps no state between pages.

use super::{feed::Place, snapshot::Snapshot, state::State, viewer::NO_MEMBERSHIP};
use crate::{ExpiredReason, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_domain::{Continuation, ConversationId, Cursor, OrgId, PersonId};
use std::str::FromStr;

/// A position in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) epoch: u64,
    pub(super) fingerprint: String,
    /// Everything that this snapshot sees has been delivered.
    pub(super) from: Snapshot,
    /// The running pass: its end, and the place where it continues.
    pub(super) pass: Option<(Snapshot, Place)>,
}

impl Position {
    /// Writes the cursor. None only if the text broke the protocol's rules for cursors, which digits and ids never do.
    pub(super) fn write(&self) -> Option<Cursor> {
        Cursor::new(self.text()).ok()
    }

    fn text(&self) -> String {
        let (to, place) = self.pass.clone().unwrap_or((Snapshot::default(), Place::start_of(0)));
        let Self { epoch, fingerprint, from, .. } = self;
        format!("1.{epoch:x}.{fingerprint}.{}.{}.{}.{}", from.text(), to.text(), place.stamp, place.index)
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('.').collect();
        let ["1", epoch, fingerprint, from, to, stamp, index] = parts[..] else { return None };
        let to = Snapshot::read(to)?;
        let place = Place { stamp: stamp.parse().ok()?, index: index.parse().ok()? };
        Some(Self {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            fingerprint: fingerprint.to_owned(),
            from: Snapshot::read(from)?,
            pass: (to != Snapshot::default()).then_some((to, place)),
        })
    }

    /// Checks that the server still accepts the cursor from somebody with this fingerprint. Somebody without a
    /// membership may use any older cursor, because she still has to get her revocations.
    pub(super) fn check(&self, state: &State, fingerprint: &str, operation: &'static str) -> RemoteResult<()> {
        let reason = if self.epoch != state.epoch {
            ExpiredReason::Epoch
        } else if self.fingerprint != fingerprint && fingerprint != NO_MEMBERSHIP {
            ExpiredReason::Access
        } else if !self.from.covers(&state.compacted) {
            ExpiredReason::Compacted
        } else {
            return Ok(());
        };
        Err(RemoteError::new(RemoteErrorKind::CursorExpired(reason), operation))
    }
}

/// The error for a text that this server cannot have written.
pub(super) fn unreadable(operation: &'static str) -> RemoteError {
    RemoteError::new(RemoteErrorKind::CursorExpired(ExpiredReason::Invalid), operation)
}

/// What is left of a bootstrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remaining {
    /// Conversations, newest activity first; then people.
    Conversations(Vec<ConversationId>),
    /// People, by org and id, after this one.
    PeopleAfter(Option<(OrgId, PersonId)>),
}

/// The place where a bootstrap continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BootstrapPosition {
    pub(super) cursor: Position,
    pub(super) total: u64,
    pub(super) remaining: Remaining,
}

impl BootstrapPosition {
    pub(super) fn write(&self) -> Continuation {
        let (phase, list) = match &self.remaining {
            Remaining::Conversations(ids) => ("c", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
            Remaining::PeopleAfter(id) => ("p", id.map(|(org, id)| format!("{org},{id}")).unwrap_or_default()),
        };
        Continuation::new(format!("{}/{}/{phase}/{list}", self.cursor.text(), self.total))
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('/').collect();
        let [cursor, total, phase, list] = parts[..] else { return None };
        let remaining = match (phase, list) {
            ("c", list) => Remaining::Conversations(ids(list)?),
            ("p", "") => Remaining::PeopleAfter(None),
            ("p", place) => {
                let (org, id) = place.split_once(',')?;
                Remaining::PeopleAfter(Some((OrgId::from_str(org).ok()?, PersonId::from_str(id).ok()?)))
            }
            _ => return None,
        };
        Some(Self { cursor: Position::read(cursor)?, total: total.parse().ok()?, remaining })
    }
}

fn ids(list: &str) -> Option<Vec<ConversationId>> {
    list.split(',').filter(|id| !id.is_empty()).map(|id| ConversationId::from_str(id).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(next: u64) -> Snapshot {
        Snapshot { next, running: [2, 5].into() }
    }

    #[test]
    fn a_position_survives_its_text() {
        let rest = Position { epoch: 0xab, fingerprint: "medic0".to_owned(), from: seen(7), pass: None };
        let middle = Position { pass: Some((seen(9), Place { stamp: 8, index: 3 })), ..rest.clone() };
        for position in [rest, middle] {
            assert_eq!(Position::read(position.write().unwrap().as_str()), Some(position));
        }
        assert_eq!(Position::read("1.x"), None);
    }
}
