//! Ids. Each kind of entity has its own id type, so a medic's row id cannot be used to look up a person.
//!
//! Ids made on a device are UUIDv7. They sort by creation time, which keeps B-trees compact on both sides. Ids from
//! elsewhere may be any UUID. No code reads the time out of an id.

use crate::Time;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The text is no UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new UUIDv7 from a time and ten random bytes. The caller supplies both, so tests are repeatable. A time
            /// before 1970 counts as 1970.
            #[must_use]
            pub fn from_parts(at: Time, random: [u8; 10]) -> Self {
                let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// Wraps a UUID that is known to be an id of this kind.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError)
            }
        }
    };
}

id!(
    /// A conversation: made by the device that opened it, or by the server.
    ConversationId
);

id!(
    /// A message. Made on the sender's device, kept by the server as primary key; it is the idempotency key of the
    /// send.
    MessageId
);
id!(
    /// A person with an account: the id of the user in `auth.users`. Not to be confused with [`MedicId`].
    PersonId
);

impl ConversationId {
    /// Of a stored mutation, before it gets the conversation that is stored beside it.
    pub(crate) const fn unaddressed() -> Self {
        Self(Uuid::nil())
    }
}

impl MessageId {
    /// Of a stored mutation, before it gets the message that is stored beside it.
    pub(crate) const fn unaddressed() -> Self {
        Self(Uuid::nil())
    }
}

impl PersonId {
    /// The nil UUID: the author of everything whose author's account was deleted.
    pub const NOBODY: Self = Self(Uuid::nil());

    /// Whether this is [`Self::NOBODY`].
    #[must_use]
    pub fn is_nobody(self) -> bool {
        self == Self::NOBODY
    }
}

id!(
    /// A report of a message to the admins.
    ReportId
);
id!(
    /// A row of `medics`. A direct conversation names its medic by this, never by [`PersonId`].
    MedicId
);
id!(
    /// An organization, the tenant.
    OrgId
);
id!(
    /// One intended change in the outbox, constant across attempts.
    MutationId
);

id!(
    /// A record of any declared table.
    RecordId
);
id!(
    /// An entry of the audit log. It is the primary key on the server, so an entry that is sent twice is stored once.
    AuditId
);

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    #[test]
    fn an_id_made_later_sorts_after_one_made_earlier() {
        let earlier = MessageId::from_parts(Utc.timestamp_millis_opt(1_000).unwrap(), [0xff; 10]);
        let later = MessageId::from_parts(Utc.timestamp_millis_opt(1_001).unwrap(), [0; 10]);
        assert!(earlier < later);
        assert_eq!(later.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn an_id_survives_text_and_json() {
        let id = PersonId::from_parts(Utc.timestamp_millis_opt(5).unwrap(), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_str::<PersonId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        assert_eq!("rec_17".parse::<PersonId>(), Err(IdError));
    }

    #[test]
    fn a_clock_before_1970_still_makes_an_id() {
        let id = MessageId::from_parts(Utc.timestamp_millis_opt(-5).unwrap(), [1; 10]);
        assert_eq!(id.as_uuid().get_version_num(), 7);
    }
}
