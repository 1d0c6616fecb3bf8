//! JSON objects with optional fields, read in one pass.
//!
//! Every field is an `Option`, so that null and absent are the same, and so that the row's reader, not serde, decides
//! which fields are required. An error names the field and nothing of its content.

use super::free::Free;
use fieldpost_domain::Extra;
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess},
};
use std::{borrow::Cow, fmt};

/// What happens to unknown fields.
pub(crate) trait Rest: Default {
    /// Takes the next value in `map`.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: Key<'de>, map: &mut A) -> Result<(), A::Error>;
}

impl Rest for Extra {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: Key<'de>, map: &mut A) -> Result<(), A::Error> {
        match map.next_value::<Free>().map_err(|_| cannot_be_read("an unknown field"))? {
            Free::Value(value) => drop(self.insert(key.0.into_owned(), value)),
            Free::Unreadable(_) => tracing::warn!("an unknown field cannot be read, and is dropped"),
        }
        Ok(())
    }
}

/// Drops them: an envelope has nothing worth keeping.
#[derive(Debug, Default)]
pub(crate) struct Dropped;

impl Rest for Dropped {
    fn take<'de, A: MapAccess<'de>>(&mut self, _: Key<'de>, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// A field's name, borrowed unless it has escapes.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> de::Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Reads the value of a field; null is none.
pub(crate) fn field<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    map: &mut A,
    name: &'static str,
) -> Result<Option<T>, A::Error> {
    map.next_value().map_err(|_| cannot_be_read(name))
}

pub(crate) fn cannot_be_read<E: de::Error>(what: &str) -> E {
    E::custom(format_args!("{what}: cannot be read"))
}

/// Declares a struct whose fields are all optional, and its reader. `rest` says what happens to unknown fields.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident $(<$reading:ident: $bound:path>)?, rest: $rest:ty { $($field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        pub(crate) struct $name $(<$reading: $bound>)? {
            $(pub(crate) $field: Option<$type>,)+
            pub(crate) rest: $rest,
        }

        impl<'de $(, $reading: $bound)?> serde::Deserialize<'de> for $name $(<$reading>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields $(<$reading>(std::marker::PhantomData<$reading>))?;

                impl<'de $(, $reading: $bound)?> serde::de::Visitor<'de> for Fields $(<$reading>)? {
                    type Value = $name $(<$reading>)?;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = $name { $($field: None,)+ rest: Default::default() };
                        while let Some(key) = map.next_key::<$crate::wire::object::Key<'de>>()? {
                            match &*key.0 {
                                $(stringify!($field) => {
                                    object.$field = $crate::wire::object::field(&mut map, stringify!($field))?;
                                })+
                                _ => $crate::wire::object::Rest::take(&mut object.rest, key, &mut map)?,
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(object!(@visitor $($reading)?))
            }
        }
    };
    (@visitor) => { Fields };
    (@visitor $reading:ident) => { Fields::<$reading>(std::marker::PhantomData) };
}

pub(crate) use object;
