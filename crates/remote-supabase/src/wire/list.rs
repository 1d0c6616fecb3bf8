//! Lists of rows, read in a fast or a careful way.

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::value::RawValue;

use fieldpost_domain::UnreadableRow;

/// A row of the wire and its domain type.
pub(crate) trait Row: DeserializeOwned {
    /// The domain type.
    type Domain;

    /// Checks the required fields.
    ///
    /// # Errors
    /// The name of the field that is missing or out of range.
    fn domain(self) -> Result<Self::Domain, &'static str>;
}

/// How the rows of a page are read.
pub(crate) trait Reading {
    /// A row in a list.
    type Slot<T: Row>: DeserializeOwned;

    /// Takes a row out of its slot; an unreadable one goes to `unreadable`.
    fn take<T: Row>(slot: Self::Slot<T>, list: &'static str, unreadable: &mut Vec<UnreadableRow>) -> Option<T::Domain>;

    /// Takes the rows out of a list.
    fn rows<T: Row>(
        list: Option<Vec<Self::Slot<T>>>,
        name: &'static str,
        unreadable: &mut Vec<UnreadableRow>,
    ) -> Vec<T::Domain> {
        list.into_iter().flatten().filter_map(|slot| Self::take::<T>(slot, name, unreadable)).collect()
    }
}

/// Parses rows directly. An unreadable row fails the page.
pub(crate) enum Fast {}

/// A readable row.
pub(crate) struct Good<T: Row>(T::Domain);

impl<'de, T: Row> Deserialize<'de> for Good<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)?.domain().map(Self).map_err(de::Error::custom)
    }
}

impl Reading for Fast {
    type Slot<T: Row> = Good<T>;

    fn take<T: Row>(slot: Good<T>, _: &'static str, _: &mut Vec<UnreadableRow>) -> Option<T::Domain> {
        Some(slot.0)
    }

    fn rows<T: Row>(list: Option<Vec<Good<T>>>, _: &'static str, _: &mut Vec<UnreadableRow>) -> Vec<T::Domain> {
        // The standard library does this in place.
        list.unwrap_or_default().into_iter().map(|Good(row)| row).collect()
    }
}

/// Takes each row as text first. An unreadable row stays text.
pub(crate) enum Careful {}

/// A row as text, and the result of parsing it.
pub(crate) struct Kept<T: Row> {
    pub(crate) read: Result<T::Domain, String>,
    pub(crate) payload: Box<RawValue>,
}

impl<'de, T: Row> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self { read: read::<T>(payload.get()), payload })
    }
}

fn read<T: Row>(text: &str) -> Result<T::Domain, String> {
    if !text.starts_with('{') {
        return Err("not an object".to_owned());
    }
    // Inside an object, every error of this crate's readers names a field; see the parent module.
    let row: T = serde_json::from_str(text).map_err(|error| error.to_string())?;
    row.domain().map_err(|field| format!("{field}: missing or out of range"))
}

impl Reading for Careful {
    type Slot<T: Row> = Kept<T>;

    fn take<T: Row>(slot: Kept<T>, list: &'static str, unreadable: &mut Vec<UnreadableRow>) -> Option<T::Domain> {
        match slot.read {
            Ok(row) => Some(row),
            Err(reason) => {
                unreadable.push(UnreadableRow {
                    list: list.to_owned(),
                    payload: slot.payload.get().to_owned(),
                    reason,
                });
                None
            }
        }
    }
}
