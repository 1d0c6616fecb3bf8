//! The rows of a page, and the results of a push.

use super::fields::ReadFields;
use crate::wire::{
    list::{Kept, Row},
    object::{Dropped, object},
    scalar::{Moment, Number},
};
use fieldpost_domain::{
    MutationId, OrgId, Time,
    records::{Fields, RecordId, RecordRow, RecordTombstone, TableName},
};
use serde_json::Value;

object!(
    /// `record`.
    RecordRowWire, rest: Dropped {
        table: TableName,
        id: RecordId,
        client_id: RecordId,
        org_id: OrgId,
        version: Number,
        created_at: Moment,
        modified_at: Moment,
        last_mutation_id: MutationId,
        fields: ReadFields,
    }
);

object!(
    /// `record tombstone`.
    RecordTombstoneRow, rest: Dropped {
        table: TableName,
        id: RecordId,
        client_id: RecordId,
        version: Number,
    }
);

object!(
    /// One element of `results`.
    RecordResultRow, rest: Dropped {
        id: MutationId,
        status: String,
        code: String,
        detail: String,
        record_id: RecordId,
        version: Number,
        modified_at: Moment,
        record: Kept<RecordRowWire>,
        ignored: Value,
    }
);

impl Row for RecordRowWire {
    type Domain = RecordRow;

    fn domain(self) -> Result<RecordRow, &'static str> {
        Ok(RecordRow {
            table: self.table.ok_or("table")?,
            id: self.id.ok_or("id")?,
            client_id: self.client_id,
            org_id: self.org_id.ok_or("org_id")?,
            version: self.version.ok_or("version")?.into(),
            created_at: self.created_at.and_then(known),
            modified_at: self.modified_at.ok_or("modified_at")?.clamped(),
            last_mutation_id: self.last_mutation_id,
            fields: self.fields.map_or_else(Fields::new, |fields| fields.0),
        })
    }
}

impl Row for RecordTombstoneRow {
    type Domain = RecordTombstone;

    fn domain(self) -> Result<RecordTombstone, &'static str> {
        Ok(RecordTombstone {
            table: self.table.ok_or("table")?,
            id: self.id.ok_or("id")?,
            client_id: self.client_id,
            version: self.version.ok_or("version")?.into(),
        })
    }
}

/// A time that can be represented.
fn known(moment: Moment) -> Option<Time> {
    if let Moment::At(time) = moment { Some(time) } else { None }
}
