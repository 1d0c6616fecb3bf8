//! The scalars of the protocol: numbers below 2^53, times, names of open enums.

use chrono::{DateTime, SubsecRound, Utc};
use fieldpost_domain::{Seq, Time, Version};
use serde::{Deserialize, Deserializer, de};
use std::{fmt, marker::PhantomData};

/// One above the largest number of the protocol: what every JSON reader can hold exactly.
const NUMBER_LIMIT: u64 = 1 << 53;

/// `seq`, `version`, a count: an integer from 0 to 2^53 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) u64);

impl From<Number> for Seq {
    fn from(number: Number) -> Self {
        Self::new(number.0)
    }
}

impl From<Number> for Version {
    fn from(number: Number) -> Self {
        Self::new(number.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if number < NUMBER_LIMIT { Ok(Self(number)) } else { Err(de::Error::custom("not below 2^53")) }
    }
}

/// An RFC 3339 time, with whatever offset, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) Time);

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;

        impl de::Visitor<'_> for Rfc3339 {
            type Value = Stamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Stamp, E> {
                let time = DateTime::parse_from_rfc3339(text).map_err(|_| E::custom("not a time"))?;
                Ok(Stamp(time.with_timezone(&Utc).trunc_subsecs(6)))
            }
        }

        deserializer.deserialize_str(Rfc3339)
    }
}

/// A value of an open enum. The domain's own reader would first copy every name; known names need no copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name<E>(pub(crate) E);

impl<'de, E: for<'a> From<&'a str>> Deserialize<'de> for Name<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<E>(PhantomData<E>);

        impl<E: for<'a> From<&'a str>> de::Visitor<'_> for Text<E> {
            type Value = Name<E>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<X: de::Error>(self, text: &str) -> Result<Name<E>, X> {
                Ok(Name(E::from(text)))
            }
        }

        deserializer.deserialize_str(Text(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fieldpost_domain::MessageKind;

    #[test]
    fn numbers_are_integers_from_zero_to_below_two_to_the_53() {
        let read = |json: &str| serde_json::from_str::<Number>(json).ok().map(|number| number.0);
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("9007199254740991"), Some((1 << 53) - 1));
        for wrong in ["9007199254740992", "-1", "1.0", "1e3", "\"1\"", "null", "18446744073709551616", "true"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_have_microseconds_in_utc() {
        let read = |json: &str| serde_json::from_str::<Stamp>(json).ok().map(|stamp| stamp.0.to_rfc3339());
        for same in [
            "\"2026-01-31T08:15:00.123456+00:00\"",
            "\"2026-01-31T08:15:00.123456Z\"",
            "\"2026-01-31T10:15:00.123456789+02:00\"",
        ] {
            assert_eq!(read(same).as_deref(), Some("2026-01-31T08:15:00.123456+00:00"), "{same}");
        }
        for wrong in ["\"infinity\"", "\"2026-02-30T00:00:00Z\"", "\"2026-01-31\"", "\"\"", "1769847300", "null"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn unknown_names_are_kept() {
        let Name(kind) = serde_json::from_str::<Name<MessageKind>>("\"po\\u006cl\"").unwrap();
        assert_eq!(kind, MessageKind::Unknown("poll".to_owned()));
    }
}
