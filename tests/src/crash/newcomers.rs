//! Medics without conversations. Their ids are known before the server knows them: opening a conversation with a medic
//! who is not on the roster yet is refused, and succeeds when it is retried after she has joined.

use fieldpost::{MedicId, OrgId};
use fieldpost_testkit::SeededRandom;
use std::ops::Range;
use uuid::Uuid;

/// The numbers of the medics: enough for a long run to keep opening conversations.
const NUMBERS: Range<u64> = 0..400;

/// The medic with this number. Other orgs have other medics.
fn medic(org: OrgId, number: u64) -> MedicId {
    MedicId::from_uuid(Uuid::from_u128(org.as_uuid().as_u128() ^ (u128::from(number) << 64)))
}

/// A random one of them.
pub(super) fn any(org: OrgId, random: &mut SeededRandom) -> MedicId {
    medic(org, random.below(NUMBERS.end))
}

/// The medics who are on the roster from the start: every second one.
pub(super) fn known(org: OrgId) -> Vec<MedicId> {
    NUMBERS.step_by(2).map(|number| medic(org, number)).collect()
}
