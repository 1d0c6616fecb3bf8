//! Reads rows that WatermelonDB wrote: its columns have no type, and JavaScript has one number type.

use crate::adoption::{At, Outcome, note};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

/// A row with every column as the bytes of its text, which may be no UTF-8.
pub(super) struct Source(pub(super) QueryResult);

/// The years 1 and 9999, in milliseconds.
const EARLIEST: i64 = -62_135_596_800_000;
const LATEST: i64 = 253_402_300_799_999;

impl Source {
    pub(super) fn text(&self, column: &str) -> Result<Option<String>, DbErr> {
        Ok(self.bytes(column)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// What is stored, if it is no text in UTF-8.
    pub(super) fn broken(&self, column: &str) -> Result<Option<Vec<u8>>, DbErr> {
        Ok(self.bytes(column)?.filter(|bytes| std::str::from_utf8(bytes).is_err()))
    }

    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, DbErr> {
        self.0.try_get("", column)
    }

    /// The text of a column that should not be null.
    pub(super) fn word(&self, column: &str, otherwise: &str) -> Result<String, DbErr> {
        Ok(self.text(column)?.unwrap_or_else(|| otherwise.to_owned()))
    }

    pub(super) fn uuid(&self, column: &str) -> Result<Option<Uuid>, DbErr> {
        Ok(self.text(column)?.and_then(|text| Uuid::try_parse(text.trim()).ok()))
    }

    /// The id of a server entity, whatever the app wrote there; none if it is null or empty.
    pub(super) fn reference(&self, column: &str) -> Result<Option<Uuid>, DbErr> {
        Ok(self.text(column)?.filter(|text| !text.trim().is_empty()).map(|text| reference(text.trim())))
    }

    /// A time in milliseconds, as microseconds.
    pub(super) fn time(&self, column: &str) -> Result<Option<i64>, DbErr> {
        Ok(self.text(column)?.as_deref().and_then(micros))
    }

    pub(super) fn count(&self, column: &str) -> Result<i64, DbErr> {
        let number = self.text(column)?.and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        // A float outside the range of an integer is clamped.
        Ok((number as i64).max(0))
    }
}

pub(crate) fn micros(text: &str) -> Option<i64> {
    Some(Moment::read(text)?.millis.clamp(EARLIEST, LATEST) * 1_000)
}

/// A time as the app wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) millis: i64,
    /// Why it is not what the app should have written.
    pub(crate) odd: Option<&'static str>,
}

impl Moment {
    /// Milliseconds since 1970. Some apps wrote seconds or microseconds, which are no milliseconds of this century, or text.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let Ok(number) = text.parse::<f64>() else { return Self::written(text) };
        if number.is_nan() {
            return None;
        }
        // A float outside the range of an integer is clamped.
        let millis = number as i64;
        let (millis, odd) = match number {
            // From 2000 to 5138 in seconds.
            946_684_800.0..1e11 => ((number * 1_000.0) as i64, Some("it was in seconds")),
            // From 1973 to 5138 in microseconds.
            1e14..1e17 => (millis / 1_000, Some("it was in microseconds")),
            _ if !(EARLIEST..=LATEST).contains(&millis) => (millis, Some("it is out of range")),
            _ => (millis, None),
        };
        Some(Self { millis, odd })
    }

    fn written(text: &str) -> Option<Self> {
        let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self { millis: time.timestamp_millis(), odd: Some("it was written as text") })
    }
}

/// Equal texts become equal ids.
pub(crate) fn reference(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_else(|_| {
        // FNV-1a, 128 bits.
        let hash = text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        });
        uuid::Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid()
    })
}

/// A new id that sorts as if made at this time (microseconds).
pub(crate) async fn new_id(db: &impl ConnectionTrait, at: i64) -> Result<Uuid, DbErr> {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, "SELECT randomblob(10)")).await?;
    let random: Vec<u8> = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    let random = random.try_into().map_err(|_| DbErr::Custom("SQLite made no random bytes".to_owned()))?;
    let millis = u64::try_from(at / 1_000).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// Reads columns, as the bytes of their text: the chunk of a table's rows after a given row.
pub(super) async fn chunk(
    db: &impl ConnectionTrait,
    table: &str,
    columns: &[&str],
    after: i64,
) -> Result<Vec<(i64, Source)>, DbErr> {
    let columns: Vec<String> =
        columns.iter().map(|column| format!("CAST(\"{column}\" AS BLOB) AS \"{column}\"")).collect();
    let sql = format!(
        "SELECT rowid AS rowid, {} FROM \"{table}\" \
         WHERE rowid > ? AND \"_status\" IS NOT 'deleted' ORDER BY rowid LIMIT 500",
        columns.join(", ")
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, [after.into()])).await?;
    rows.into_iter().map(|row| Ok((row.try_get("", "rowid")?, Source(row)))).collect()
}

/// Says of a row what in it is not as the app should have written it.
pub(super) fn note_odd(
    table: &'static str,
    row: &Source,
    columns: &[&str],
    times: &[&str],
    references: &[&str],
) -> Result<(), DbErr> {
    let name = row.word("id", "")?;
    for column in columns {
        if let Some(bytes) = row.broken(column)? {
            let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let at = At::column(table, &name, column);
            note(at, Outcome::Changed, "it is no UTF-8; what cannot be read shows as \u{fffd}", Some(hex));
        }
    }
    for column in times {
        let text = row.text(column)?.filter(|text| !text.is_empty());
        let odd = text.as_deref().map(|text| Moment::read(text).map_or(Some("it is no time"), |moment| moment.odd));
        if let Some(odd) = odd.flatten() {
            note(At::column(table, &name, column), Outcome::Changed, odd, text);
        }
    }
    for column in references {
        let text = row.text(column)?.filter(|text| !text.trim().is_empty());
        if let Some(text) = text.filter(|text| Uuid::try_parse(text.trim()).is_err()) {
            note(At::column(table, &name, column), Outcome::Changed, "it is no UUID", Some(text));
        }
    }
    Ok(())
}

/// Rows that the app had marked as deleted; they are left out.
pub(super) async fn note_deleted(db: &impl ConnectionTrait, table: &'static str) -> Result<(), DbErr> {
    let sql = format!("SELECT CAST(\"id\" AS TEXT) FROM \"{table}_v5\" WHERE \"_status\" = 'deleted' ORDER BY rowid");
    for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await? {
        let name: Option<String> = row.try_get_by_index(0)?;
        note(At::row(table, &name.unwrap_or_default()), Outcome::Left, "it was deleted in the app", None);
    }
    Ok(())
}

pub(crate) async fn insert(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<u64, DbErr> {
    Ok(db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?.rows_affected())
}

pub(crate) fn blob(id: Uuid) -> Value {
    Value::Bytes(Some(id.as_bytes().to_vec()))
}

pub(crate) fn opt_blob(id: Option<Uuid>) -> Value {
    Value::Bytes(id.map(|id| id.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_become_microseconds_and_stay_in_range() {
        assert_eq!(micros("1700000000123"), Some(1_700_000_000_123_000));
        assert_eq!(micros("1700000000123.0"), Some(1_700_000_000_123_000));
        assert_eq!(micros("1e300"), Some(LATEST * 1_000));
        assert_eq!(micros("-9.3e18"), Some(EARLIEST * 1_000));
        assert_eq!(micros("NaN"), None);
        assert_eq!(micros("yesterday"), None);
    }

    #[test]
    fn seconds_microseconds_and_text_are_understood_and_named() {
        let read = |text| Moment::read(text).map(|moment| (moment.millis, moment.odd));
        assert_eq!(read("1700000000"), Some((1_700_000_000_000, Some("it was in seconds"))));
        assert_eq!(read("1700000000.5"), Some((1_700_000_000_500, Some("it was in seconds"))));
        assert_eq!(read("1700000000123456"), Some((1_700_000_000_123, Some("it was in microseconds"))));
        assert_eq!(read("2023-11-14T22:13:20.005Z"), Some((1_700_000_000_005, Some("it was written as text"))));
        assert_eq!(read(" 1700000000123 "), Some((1_700_000_000_123, None)));
        assert_eq!(read("0"), Some((0, None)));
    }

    #[test]
    fn equal_references_stay_equal_and_uuids_stay_themselves() {
        let uuid = "0198c0de-0000-7000-8000-00000000000a";
        assert_eq!(reference(uuid).to_string(), uuid);
        assert_eq!(reference("medic-1"), reference("medic-1"));
        assert_ne!(reference("medic-1"), reference("medic-2"));
    }
}
