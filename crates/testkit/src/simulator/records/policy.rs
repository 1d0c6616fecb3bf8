//! A project with its own policies for records: in some runs hidden records are shown to admins alone, and some words
//! are refused.

use crate::simulator::dice::branch;
use fieldpost_domain::{
    PersonId, Role,
    records::{RecordRefusal, RecordRefusalCode, RecordRow},
};
use fieldpost_remote::reference::Project;
use serde_json::Value;

/// The policies and triggers of a run, derived from one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordPolicy(u64);

impl RecordPolicy {
    /// Present in some runs. The rest of a run is the same as without it.
    pub(super) fn roll(seed: u64) -> Option<Self> {
        let mut dice = branch(seed, 103);
        dice.chance(350).then(|| Self(dice.next()))
    }

    /// Whether a member of the record's org may see it.
    pub(super) fn lets_see(row: &RecordRow, role: &Role) -> bool {
        *role == Role::OrgAdmin || row.fields.get("hidden") != Some(&Value::Bool(true))
    }

    /// Records with certain words are always refused.
    fn refuses(self, words: &str) -> bool {
        branch(self.0 ^ fold(words.as_bytes()), 2).chance(90)
    }
}

impl Project for RecordPolicy {
    fn shows_record(&self, row: &RecordRow, _: PersonId, role: &Role) -> bool {
        Self::lets_see(row, role)
    }

    fn stores_record(
        &self,
        _: Option<&RecordRow>,
        row: &mut RecordRow,
        _: (PersonId, &Role),
    ) -> Result<(), RecordRefusal> {
        if row.fields.get("remark").and_then(Value::as_str).is_some_and(|words| self.refuses(words)) {
            let detail = Some("not these words (P0001)".to_owned());
            return Err(RecordRefusal { code: RecordRefusalCode::Refused, detail });
        }
        Ok(())
    }
}

/// FNV-1a: the same on every machine.
fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
