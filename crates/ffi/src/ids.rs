//! Ids travel as text. One that is none is refused where it comes in.

use crate::FieldpostError;
use fieldpost::{
    ConversationId, MedicId, MessageId, MutationId, OrgId, PersonId, ReportId,
    records::{ColumnName, RecordId, TableName},
};

macro_rules! id {
    ($($name:ident is $what:literal),+ $(,)?) => {
        $(uniffi::custom_type!($name, String, {
            remote,
            try_lift: |text| text.parse().map_err(|_| FieldpostError::argument(concat!("this is no id of ", $what)).into()),
            lower: |id| id.to_string(),
        });)+
    };
}

id!(
    ConversationId is "a conversation",
    MessageId is "a message",
    PersonId is "a person",
    MedicId is "a medic",
    OrgId is "an organization",
    MutationId is "a mutation",
    ReportId is "a report",
    RecordId is "a record",
);

macro_rules! name {
    ($($name:ident),+) => {
        $(uniffi::custom_type!($name, String, {
            remote,
            try_lift: |text| $name::new(text).map_err(|error| FieldpostError::argument(error.to_string()).into()),
            lower: |name| name.as_str().to_owned(),
        });)+
    };
}

name!(TableName, ColumnName);
