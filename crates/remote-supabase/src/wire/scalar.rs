//! The scalars of the protocol: numbers below 2^53, times, names of open enums.

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use fieldpost_domain::{Seq, Time, Version};
use serde::{Deserialize, Deserializer, de};
use std::{fmt, marker::PhantomData};

/// One above the largest number of the protocol, which every JSON reader can represent exactly.
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

/// An RFC 3339 time with any offset, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) Time);

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Moment::deserialize(deserializer)? {
            Moment::At(time) => Ok(Self(time)),
            Moment::Odd(_) => Err(de::Error::custom("not a time")),
        }
    }
}

/// A time of a row. PostgreSQL has times that chrono cannot represent (`infinity`, the year 294276): they must not cost
/// the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A representable time.
    At(Time),
    /// Any other text.
    Odd(String),
}

impl Moment {
    /// The time; for an unrepresentable one, the nearest end of the range.
    pub(crate) fn clamped(&self) -> Time {
        match self {
            Self::At(time) => *time,
            Self::Odd(text) => if is_late(text) { DateTime::<Utc>::from_timestamp_micros(LAST) } else { None }
                .unwrap_or(DateTime::UNIX_EPOCH),
        }
    }
}

/// 9999-12-31T23:59:59.999999Z, the last moment with a year of four digits.
const LAST: i64 = 253_402_300_799_999_999;

/// Whether it is `infinity` or a year of more than four digits.
fn is_late(text: &str) -> bool {
    let text = text.trim_start_matches('+');
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    (text.starts_with("infinity") || year > 4) && !text.ends_with("BC")
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;

        impl de::Visitor<'_> for Rfc3339 {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                let time = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc).trunc_subsecs(6));
                // An offset can move the time out of the years that have a text form.
                Ok(match time {
                    Ok(time) if (0..=9999).contains(&time.year()) => Moment::At(time),
                    _ => Moment::Odd(text.to_owned()),
                })
            }
        }

        deserializer.deserialize_str(Rfc3339)
    }
}

/// A value of an open enum. Known names are not copied, unlike in the domain's own reader, which copies every name
/// first.
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
    fn times_that_nothing_can_represent_are_kept_as_text_and_have_an_end() {
        let read = |text: &str| serde_json::from_value::<Moment>(serde_json::json!(text)).unwrap();
        for late in ["infinity", "10000-01-01T00:00:00+00:00", "11533-05-05T00:00:00Z", "+294276-12-31T23:59:59Z"] {
            assert_eq!(read(late), Moment::Odd(late.to_owned()));
            assert_eq!(read(late).clamped().to_rfc3339(), "9999-12-31T23:59:59.999999+00:00", "{late}");
        }
        for early in ["-infinity", "0044-03-15T00:00:00+00:00 BC", "soon", "12000-01-01T00:00:00+00:00 BC"] {
            assert_eq!(read(early).clamped(), DateTime::UNIX_EPOCH, "{early}");
        }
        assert!(matches!(read("9999-12-31T23:59:59-12:00"), Moment::Odd(_)), "its UTC has five digits");
        assert!(serde_json::from_str::<Moment>("1769847300").is_err(), "no text is no time");
    }

    #[test]
    fn unknown_names_are_kept() {
        let Name(kind) = serde_json::from_str::<Name<MessageKind>>("\"po\\u006cl\"").unwrap();
        assert_eq!(kind, MessageKind::Unknown("poll".to_owned()));
    }
}
