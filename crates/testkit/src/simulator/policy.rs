//! A project with its own policies: in some runs the owner of the tables hides some messages and refuses others.
//!
//! Whether a message is hidden depends only on the message and its reader, so an edit may reveal or hide it.

use super::dice::branch;
use fieldpost_domain::{Message, PersonId, Refusal, RefusalCode};
use fieldpost_remote::reference::{Project, SubmittedMessage};

/// The policies and triggers of a run, derived from one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policy(u64);

impl Policy {
    /// Present in some runs. The rest of a run is the same as without it.
    pub(super) fn roll(seed: u64) -> Option<Self> {
        let mut dice = branch(seed, 3);
        dice.chance(300).then(|| Self(dice.next()))
    }

    /// Whether a reader of the conversation may see a message. She can always see her own.
    pub(super) fn lets_see(self, message: &Message, reader: PersonId) -> bool {
        let content = message.content.as_deref().unwrap_or_default();
        let about =
            fold(message.id.as_uuid().as_bytes()) ^ fold(reader.as_uuid().as_bytes()) ^ fold(content.as_bytes());
        message.sender_id == reader || !branch(self.0 ^ about, 1).chance(250)
    }

    /// Messages with certain words are always refused.
    fn refuses(self, content: &str) -> bool {
        branch(self.0 ^ fold(content.as_bytes()), 2).chance(60)
    }
}

impl Project for Policy {
    fn hides(&self) -> bool {
        true
    }

    fn shows(&self, message: &Message, reader: PersonId) -> bool {
        self.lets_see(message, reader)
    }

    fn stores(&self, message: &mut SubmittedMessage, _: PersonId) -> Result<(), Refusal> {
        if message.content.as_deref().is_some_and(|content| self.refuses(content)) {
            let detail = Some("not these words (P0001)".to_owned());
            return Err(Refusal { code: RefusalCode::Refused, detail });
        }
        Ok(())
    }
}

/// FNV-1a: the same on every machine.
fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
