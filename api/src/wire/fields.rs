//! Fields of request bodies that are checked while they are read.
//!
//! Each becomes its domain type or a message about itself; the caller's own value is never repeated
//! in an error, because it may be a secret sent in the wrong place.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use engine::{
    fulfillments::{Email, OrderId},
    ids::{ItemId, ProductId, RelationshipId, StockRequestId, VariantId},
    vault::Opened,
};
use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;

/// A field that a text becomes.
pub(crate) trait FromText: Sized {
    /// What the error says was expected: "must be …".
    const EXPECTED: &'static str;

    fn from_text(text: &str) -> Result<Self, &'static str>;
}

/// Reads a string without copying it first.
pub(crate) struct Text<T>(pub(crate) T);

impl<'de, T: FromText> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<T: FromText> de::Visitor<'_> for Visitor<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::from_text(text).map(Text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

impl FromText for String {
    const EXPECTED: &'static str = "a string";

    fn from_text(text: &str) -> Result<Self, &'static str> {
        Ok(text.to_owned())
    }
}

impl FromText for OrderId {
    const EXPECTED: &'static str = "a string";

    fn from_text(text: &str) -> Result<Self, &'static str> {
        Self::parse(text)
    }
}

impl FromText for Email {
    const EXPECTED: &'static str = "an e-mail address";

    fn from_text(text: &str) -> Result<Self, &'static str> {
        Self::parse(text).ok_or("must be an e-mail address")
    }
}

/// A malformed id names nothing, so it becomes the id that nothing has: what is said about it, and
/// when, is then what is said about any unknown id.
macro_rules! id_from_text {
    ($($id:ident)*) => {$(
        impl FromText for $id {
            const EXPECTED: &'static str = "an id";

            fn from_text(text: &str) -> Result<Self, &'static str> {
                Ok(Self::parse(text).unwrap_or(Self::from_uuid(Uuid::nil())))
            }
        }
    )*};
}

id_from_text!(ItemId ProductId VariantId RelationshipId StockRequestId);

/// A secret, or what may be one: no text form, gone when it was read.
pub(crate) struct Hidden(Opened);

impl Hidden {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::<String>::deserialize(deserializer).map(|Text(text)| Self(Opened::new(text)))
    }
}

/// A whole number from 0; its bounds are the domain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) u32);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            // A number beyond the type is beyond every bound too: the domain refuses it as such.
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(u32::try_from(number).unwrap_or(u32::MAX)))
            }

            fn visit_i64<E: de::Error>(self, _negative: i64) -> Result<Whole, E> {
                Ok(Whole(0))
            }
        }

        deserializer.deserialize_u32(Visitor)
    }
}

/// A field of a change: not sent, sent as null, or sent with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sent<T> {
    #[default]
    Not,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<T>::deserialize(deserializer)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }
}

/// A structure that may only be written as an object; by itself it could be written as an array too.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

/// The body of a call that needs none.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// An object of strings in which no name stands twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Strings(pub(crate) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Strings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Strings, A::Error> {
                let mut strings = BTreeMap::new();
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    if strings.insert(name, value).is_some() {
                        return Err(de::Error::custom("must not name a field twice"));
                    }
                }
                Ok(Strings(strings))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_id_is_the_id_that_nothing_has() {
        let Text(id): Text<ProductId> = serde_json::from_str("\"prd_?\"").unwrap();
        assert_eq!(id.uuid(), Uuid::nil());
    }

    #[test]
    fn numbers_beyond_the_type_are_kept_out_of_bounds() {
        for (json, read) in [
            ("5", Some(5)),
            ("-1", Some(0)),
            ("4294967296", Some(u32::MAX)),
            ("1.0", None),
            ("\"1\"", None),
            ("null", None),
        ] {
            let whole = serde_json::from_str::<Whole>(json).ok();
            assert_eq!(whole.map(|whole| whole.0), read, "{json}");
        }
    }

    #[test]
    fn null_and_nothing_are_told_apart() {
        #[derive(Deserialize)]
        struct Change {
            #[serde(default)]
            field: Sent<Whole>,
        }
        for (json, sent) in [
            ("{}", Sent::Not),
            (r#"{"field":null}"#, Sent::Null),
            (r#"{"field":2}"#, Sent::Value(Whole(2))),
        ] {
            let change: Change = serde_json::from_str(json).unwrap();
            assert_eq!(change.field, sent, "{json}");
        }
    }

    #[test]
    fn repeated_name_in_an_object_of_strings_is_refused() {
        let error = serde_json::from_str::<Strings>(r#"{"a":"1","a":"2"}"#).unwrap_err();
        assert!(error.to_string().starts_with("must not name a field twice"));
    }
}
