//! A value that the older app wrote, as its column's kind.

use super::{clinical::Kind, ids::Ids, source::Raw};
use crate::v6::source::{Moment, blob};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use sea_orm_migration::sea_orm;
use serde_json::Value;
use uuid::Uuid;

/// A value, in the column and in a record's fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Converted {
    pub(super) stored: sea_orm::Value,
    pub(super) json: Value,
}

impl Kind {
    /// Null, as the column takes it.
    pub(super) const fn null(self) -> sea_orm::Value {
        match self {
            Self::Text | Self::Date | Self::Json | Self::Uuid => sea_orm::Value::String(None),
            Self::Real => sea_orm::Value::Double(None),
            Self::Bool | Self::Time => sea_orm::Value::BigInt(None),
            Self::Worker => sea_orm::Value::Bytes(None),
        }
    }

    /// The value; none for no value.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn convert(self, raw: &Raw, ids: &Ids) -> Result<Option<Converted>, &'static str> {
        let Some(text) = raw.text() else { return Ok(None) };
        // An empty text is how WatermelonDB writes that there is none, where the column is not optional.
        if text.trim().is_empty() && self != Self::Text {
            return Ok(None);
        }
        self.read(&text, ids).map(Some)
    }

    fn read(self, text: &str, ids: &Ids) -> Result<Converted, &'static str> {
        let trimmed = text.trim();
        match self {
            Self::Text if text.contains('\0') => Err("it contains U+0000"),
            Self::Text => Ok(of_text(text)),
            Self::Real => real(trimmed).ok_or("it is no number"),
            Self::Bool => bool(trimmed).ok_or("it is neither true nor false"),
            Self::Time => time(trimmed).ok_or("it is no time"),
            Self::Date => date(trimmed).ok_or("it is no day"),
            Self::Json => json(&ids.follow(text)).ok_or("it is no JSON"),
            Self::Uuid => {
                Uuid::try_parse(trimmed).map(|id| of_text(&id.hyphenated().to_string())).map_err(|_| "it is no UUID")
            }
            Self::Worker => ids.of(super::clinical::WORKERS, trimmed).map(reference).ok_or("no such worker is here"),
        }
    }
}

fn of_text(text: &str) -> Converted {
    Converted { stored: text.into(), json: text.into() }
}

fn reference(id: Uuid) -> Converted {
    Converted { stored: blob(id), json: id.hyphenated().to_string().into() }
}

fn real(text: &str) -> Option<Converted> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(Converted { stored: number.into(), json: number.into() })
}

fn bool(text: &str) -> Option<Converted> {
    let truth = match text {
        "1" | "true" => true,
        "0" | "false" => false,
        _ => return None,
    };
    Some(Converted { stored: i64::from(truth).into(), json: truth.into() })
}

/// Milliseconds since 1970, or text of RFC 3339; in the years 2000 to 9999.
fn time(text: &str) -> Option<Converted> {
    let time = DateTime::<Utc>::from_timestamp_millis(Moment::read(text)?.millis)?;
    if !(946_684_800_000..=253_402_300_799_999).contains(&time.timestamp_millis()) {
        return None;
    }
    Some(Converted { stored: time.timestamp_micros().into(), json: rfc3339(time).into() })
}

/// A day, or a time that begins with one.
fn date(text: &str) -> Option<Converted> {
    let day = text.split_once('T').map_or(text, |(day, _)| day);
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().map(|day| of_text(&day.to_string()))
}

fn json(text: &str) -> Option<Converted> {
    let json: Value = serde_json::from_str(text).ok()?;
    Some(Converted { stored: json.to_string().into(), json })
}

/// As records write times.
pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_of(kind: Kind, raw: &Raw) -> Result<Option<Value>, &'static str> {
        kind.convert(raw, &Ids::default()).map(|value| value.map(|value| value.json))
    }

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    #[test]
    fn numbers_and_texts_become_what_their_columns_hold() {
        assert_eq!(json_of(Kind::Bool, &Raw::Number(1.0)), Ok(Some(true.into())));
        assert_eq!(json_of(Kind::Real, &text("51.5")), Ok(Some(51.5.into())));
        assert_eq!(json_of(Kind::Text, &Raw::Number(7.0)), Ok(Some("7".into())));
        let expected = Value::from("2023-11-14T22:13:20.123000Z");
        assert_eq!(json_of(Kind::Time, &Raw::Number(1_700_000_000_123.0)), Ok(Some(expected)));
        assert_eq!(json_of(Kind::Date, &text("2026-01-31T00:00:00.000Z")), Ok(Some("2026-01-31".into())));
        assert_eq!(json_of(Kind::Json, &text("[\"a\"]")), Ok(Some(serde_json::json!(["a"]))));
    }

    #[test]
    fn what_is_empty_is_no_value() {
        for kind in [Kind::Json, Kind::Uuid, Kind::Worker, Kind::Real, Kind::Date, Kind::Time, Kind::Bool] {
            assert_eq!(json_of(kind, &text("")), Ok(None));
        }
        assert_eq!(json_of(Kind::Text, &text("")), Ok(Some("".into())));
    }

    #[test]
    fn what_does_not_fit_says_why() {
        for (kind, odd) in [
            (Kind::Real, "n/a"),
            (Kind::Bool, "perhaps"),
            (Kind::Time, "yesterday"),
            (Kind::Date, "31/01/2026"),
            (Kind::Json, "[\"a\""),
            (Kind::Uuid, "medic-7"),
            (Kind::Worker, "worker0000000099"),
            (Kind::Text, "a\0b"),
        ] {
            assert!(json_of(kind, &text(odd)).is_err(), "{kind:?} {odd}");
        }
    }
}
