//! Medics with whom nobody has a conversation yet. Their ids are known before the server knows them: a conversation that is
//! opened with one who is not on the roster yet is refused, and goes through when it is tried again after she has joined.

use fieldpost::{MedicId, OrgId};
use fieldpost_testkit::SeededRandom;
use std::ops::Range;
use uuid::Uuid;

/// How many there are: enough that a long run goes on opening conversations.
const NUMBERS: Range<u64> = 0..400;

/// The medic of that number. Another org has others.
fn medic(org: OrgId, number: u64) -> MedicId {
    MedicId::from_uuid(Uuid::from_u128(org.as_uuid().as_u128() ^ (u128::from(number) << 64)))
}

/// One of them.
pub(super) fn any(org: OrgId, random: &mut SeededRandom) -> MedicId {
    medic(org, random.below(NUMBERS.end))
}

/// Those who are on the roster from the beginning: every second.
pub(super) fn known(org: OrgId) -> Vec<MedicId> {
    NUMBERS.step_by(2).map(|number| medic(org, number)).collect()
}
