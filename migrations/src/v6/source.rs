//! Reads rows that WatermelonDB wrote: its columns have no type, and JavaScript has one number type.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

/// A row with every column cast to text.
pub(super) struct Source(pub(super) QueryResult);

/// The years 1 and 9999, in milliseconds.
const EARLIEST: i64 = -62_135_596_800_000;
const LATEST: i64 = 253_402_300_799_999;

impl Source {
    pub(super) fn text(&self, column: &str) -> Result<Option<String>, DbErr> {
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
    let millis: f64 = text.parse().ok().filter(|millis: &f64| !millis.is_nan())?;
    // A float outside the range of an integer is clamped.
    Some((millis as i64).clamp(EARLIEST, LATEST) * 1_000)
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

/// Reads columns, cast to text: the chunk of a table's rows after a given row.
pub(super) async fn chunk(
    db: &impl ConnectionTrait,
    table: &str,
    columns: &[&str],
    after: i64,
) -> Result<Vec<(i64, Source)>, DbErr> {
    let columns: Vec<String> =
        columns.iter().map(|column| format!("CAST(\"{column}\" AS TEXT) AS \"{column}\"")).collect();
    let sql = format!(
        "SELECT rowid AS rowid, {} FROM \"{table}\" \
         WHERE rowid > ? AND \"_status\" IS NOT 'deleted' ORDER BY rowid LIMIT 500",
        columns.join(", ")
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, [after.into()])).await?;
    rows.into_iter().map(|row| Ok((row.try_get("", "rowid")?, Source(row)))).collect()
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
    fn equal_references_stay_equal_and_uuids_stay_themselves() {
        let uuid = "0198c0de-0000-7000-8000-00000000000a";
        assert_eq!(reference(uuid).to_string(), uuid);
        assert_eq!(reference("medic-1"), reference("medic-1"));
        assert_ne!(reference("medic-1"), reference("medic-2"));
    }
}
