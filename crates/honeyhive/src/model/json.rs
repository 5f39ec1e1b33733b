//! What the program gives, as JSON in memory. One value that JSON cannot hold costs nothing but itself.

use std::fmt::Display;
use std::time::Duration;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::{Error, Map, Value};

use crate::model::rfc3339;

/// The value as JSON. A number that JSON does not know (`nan`, `inf`, beyond 64 bits) is text, and so is a
/// [`SystemTime`](std::time::SystemTime), as other dates are; the key of a map that is no text becomes one. A
/// part that cannot be serialised says so in its place.
///
/// It fails where the value as a whole cannot be serialised.
pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<Value, Error> {
    value.serialize(Lenient)
}

/// A part of a whole, which goes on without it.
fn part(value: &(impl Serialize + ?Sized)) -> Value {
    to_json(value).unwrap_or_else(|error| format!("[not serialisable: {error}]").into())
}

fn key(value: &(impl Serialize + ?Sized)) -> String {
    match part(value) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Text that is all there is to say of a value.
fn shown(value: impl Display) -> Value {
    value.to_string().into()
}

struct Lenient;

/// A variant of an enum, with what it holds.
fn variant(name: &'static str, holds: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), holds)]))
}

impl ser::Serializer for Lenient {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    fn serialize_bool(self, value: bool) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i128(self, value: i128) -> Result<Value, Error> {
        Ok(i64::try_from(value).map_or_else(|_| shown(value), Value::from))
    }

    fn serialize_u8(self, value: u8) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<Value, Error> {
        Ok(u64::try_from(value).map_or_else(|_| shown(value), Value::from))
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Error> {
        Ok(serde_json::Number::from_f64(value).map_or_else(
            || shown(value).as_str().map(str::to_ascii_lowercase).into(),
            Value::Number,
        ))
    }

    fn serialize_char(self, value: char) -> Result<Value, Error> {
        Ok(shown(value))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Value, Error> {
        Ok(name.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(variant(name, part(value)))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, Error> {
        Ok(Items::of(None, length.unwrap_or(0)))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, Error> {
        Ok(Items::of(None, length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, Error> {
        Ok(Items::of(None, length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Items, Error> {
        Ok(Items::of(Some(name), length))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Error> {
        Ok(Entries::of(None, ""))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Entries, Error> {
        Ok(Entries::of(None, name))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Entries, Error> {
        Ok(Entries::of(Some(name), ""))
    }
}

/// A list, of a variant or by itself.
struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

impl Items {
    fn of(variant: Option<&'static str>, length: usize) -> Self {
        /// A length is what the program says of itself.
        const MOST: usize = 1024;
        Self {
            variant,
            items: Vec::with_capacity(length.min(MOST)),
        }
    }

    fn add(&mut self, value: &(impl Serialize + ?Sized)) {
        self.items.push(part(value));
    }

    fn finish(self) -> Value {
        match self.variant {
            Some(name) => variant(name, self.items.into()),
            None => self.items.into(),
        }
    }
}

/// A map or a struct, of a variant or by itself.
struct Entries {
    variant: Option<&'static str>,
    type_name: &'static str,
    entries: Map<String, Value>,
    key: String,
}

impl Entries {
    fn of(variant: Option<&'static str>, type_name: &'static str) -> Self {
        Self {
            variant,
            type_name,
            entries: Map::new(),
            key: String::new(),
        }
    }

    fn add(&mut self, key: String, value: &(impl Serialize + ?Sized)) {
        self.entries.insert(key, part(value));
    }

    fn finish(self) -> Value {
        if self.type_name == "SystemTime"
            && let Some(text) = time(&self.entries)
        {
            return text.into();
        }
        match self.variant {
            Some(name) => variant(name, self.entries.into()),
            None => self.entries.into(),
        }
    }
}

/// What `serde` makes of a [`SystemTime`](std::time::SystemTime), as RFC 3339.
fn time(entries: &Map<String, Value>) -> Option<String> {
    let seconds = Duration::from_secs(entries.get("secs_since_epoch")?.as_u64()?);
    let nanos = Duration::from_nanos(entries.get("nanos_since_epoch")?.as_u64()?);
    rfc3339::format(seconds.checked_add(nanos)?)
}

macro_rules! items {
    ($($for:ident: $method:ident),*) => {$(
        impl $for for Items {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.add(value);
                Ok(())
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.finish())
            }
        }
    )*};
}

items! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
}

macro_rules! fields {
    ($($for:ident),*) => {$(
        impl $for for Entries {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.add(key.to_owned(), value);
                Ok(())
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.finish())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Entries {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.key = key(value);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        self.add(key, value);
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde::ser::Error as _;
    use serde_json::json;
    use std::collections::{BTreeMap, HashMap};

    /// A value that is refused as a whole.
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: ser::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }

    #[derive(Serialize)]
    enum Kind {
        Plain,
        New(u8),
        Pair(u8, f32),
        Named { x: Option<char> },
    }

    #[derive(Serialize)]
    struct All<'a> {
        kinds: Vec<Kind>,
        tuple: (bool, i64, &'a str),
        bytes: &'a [u8],
        unit: (),
        none: Option<u8>,
        map: BTreeMap<u8, &'a str>,
    }

    #[test]
    fn what_json_holds_is_what_everybody_makes_of_it() {
        let all = All {
            kinds: vec![
                Kind::Plain,
                Kind::New(1),
                Kind::Pair(2, 0.5),
                Kind::Named { x: Some('ü') },
            ],
            tuple: (true, i64::MIN, "text"),
            bytes: b"by",
            unit: (),
            none: None,
            map: BTreeMap::from([(1, "one")]),
        };
        assert_eq!(to_json(&all).unwrap(), serde_json::to_value(&all).unwrap());
    }

    #[test]
    fn what_json_cannot_hold_costs_nothing_but_itself() {
        let grid = HashMap::from([((1, 2), 3)]);
        let huge = u128::MAX;
        let mixed = (1, Broken, f64::NAN, f64::NEG_INFINITY, grid, huge);
        assert_eq!(
            to_json(&mixed).unwrap(),
            json!([1, "[not serialisable: no]", "nan", "-inf", {"[1,2]": 3}, huge.to_string()])
        );
        assert!(to_json(&Broken).is_err());
    }

    #[test]
    fn a_time_is_text_and_what_only_looks_like_one_stays() {
        let then = std::time::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        assert_eq!(
            to_json(&[then]).unwrap(),
            json!(["2023-11-14T22:13:20.123000000Z"])
        );
        let far = std::time::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(to_json(&far).unwrap()["secs_since_epoch"], 1_u64 << 40);
        let theirs = json!({"secs_since_epoch": u64::MAX, "nanos_since_epoch": u64::MAX});
        assert_eq!(to_json(&theirs).unwrap(), theirs);
    }
}
