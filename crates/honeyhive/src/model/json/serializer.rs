//! The serializer stops where the budget is used up: nothing is made that is not kept.

use std::any::type_name;
use std::fmt::Display;
use std::time::Duration;

use serde::ser::{
    self, Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct,
    SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::{Error, Map, Number, Value};

use super::budget::Budget;
use super::locks::{BEHIND_A_LOCK, takes_a_lock};
use super::private::{self, Private};
use crate::model::text::bounded;
use crate::model::{limits, number, rfc3339};

/// Values nest this deep at the most: half of the depth that `serde_json` reads.
const DEPTH: usize = 64;
/// A list of at most this many numbers is kept whole; longer ones, such as embeddings, are for machines.
const NUMBERS: usize = 100;
/// So many entries of a map are taken at the most: a span holds fewer.
const ENTRIES: usize = 4 * 1024;
/// A list of at most this many bytes is kept whole.
const BYTES: usize = 32;
/// So many entries are kept of a longer list.
const BEGINNING: usize = 16;
/// JSON of more bytes is not read again.
const RAW_BYTES: usize = 256 * 1024;

/// The serializer takes one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lenient<'b> {
    budget: &'b Budget,
    depth: usize,
    /// The value is not a part of another.
    is_whole: bool,
}

impl<'b> Lenient<'b> {
    #[inline]
    pub(super) const fn new(budget: &'b Budget) -> Self {
        Self {
            budget,
            depth: 0,
            is_whole: true,
        }
    }

    /// Returns the value; an error where it cannot be serialised.
    #[inline]
    pub(super) fn whole<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        if takes_a_lock(type_name::<T>()) {
            return Ok(BEHIND_A_LOCK.into());
        }
        let taken = value.serialize(self);
        // The owner of a value that ended early has nothing but an error to pass on.
        let left = self.budget.take_left();
        taken.or_else(|error| left.ok_or(error))
    }

    /// Serialises a part of a value, which goes on without a part that fails.
    fn part<T: Serialize + ?Sized>(self, value: &T) -> Value {
        let before = self.budget.values();
        let part = self
            .whole(value)
            .unwrap_or_else(|error| bounded(format_args!("[not serialisable: {error}]")).into());
        // Marks count, too, or there would be no end to them.
        if self.budget.values() == before {
            self.budget.count();
        }
        part
    }

    fn key<T: Serialize + ?Sized>(self, value: &T) -> String {
        let key = self.budget.unchanged(|| self.part(value));
        match key {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Takes a value that holds no others.
    #[inline]
    fn leaf(self, value: impl Into<Value>) -> Result<Value, Error> {
        self.budget.count();
        Ok(value.into())
    }

    #[inline]
    fn text(self, text: &str, is_text: bool) -> Result<Value, Error> {
        if self.is_whole {
            self.budget.say_text(is_text);
        }
        self.leaf(self.budget.text(text))
    }

    /// Returns the text of a value that serialises as text only.
    fn shown(self, value: impl Display) -> Result<Value, Error> {
        self.text(&bounded(format_args!("{value}")), false)
    }

    /// Returns a serialiser for the parts of a value.
    fn within(self) -> Result<Self, Error> {
        Ok(Self {
            is_whole: false,
            ..self.through()?
        })
    }

    /// Returns a serialiser for the inside of a mere wrapper.
    fn through(self) -> Result<Self, Error> {
        if self.depth == DEPTH {
            self.budget.leave(limits::too_deep(DEPTH).into());
            return Err(Error::custom("too deep"));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn items(
        self,
        variant: Option<&'static str>,
        length: Option<usize>,
    ) -> Result<Items<'b>, Error> {
        Ok(Items {
            to: self.within()?,
            variant,
            length,
            items: Vec::with_capacity(length.unwrap_or_default().min(BEGINNING)),
            kind: Kind::Octets,
            is_over: false,
        })
    }

    fn entries(
        self,
        variant: Option<&'static str>,
        type_name: &'static str,
    ) -> Result<Entries<'b>, Error> {
        Ok(Entries {
            to: self.within()?,
            variant,
            type_name,
            entries: Map::new(),
            key: String::new(),
        })
    }
}

/// Returns a variant of an enum, with its contents.
fn variant(name: &'static str, holds: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), holds)]))
}

/// Returns bytes as their number and the first of them.
#[cfg(feature = "tracing")]
pub(crate) fn octets(bytes: &[u8]) -> String {
    some_octets(Some(bytes.len()), bytes.iter().copied())
}

fn some_octets(length: Option<usize>, beginning: impl Iterator<Item = u8>) -> String {
    let mut text = match length {
        Some(length) => format!("{length} bytes:"),
        None => format!("over {BYTES} bytes:"),
    };
    let mut shown = 0;
    for byte in beginning.take(BEGINNING) {
        text.push_str(&format!(" {byte:02x}"));
        shown += 1;
    }
    if length.is_none_or(|length| length > shown) {
        text.push_str(" …");
    }
    text
}

impl<'b> ser::Serializer for Lenient<'b> {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = Items<'b>;
    type SerializeTuple = Items<'b>;
    type SerializeTupleStruct = Items<'b>;
    type SerializeTupleVariant = Items<'b>;
    type SerializeMap = Entries<'b>;
    type SerializeStruct = Entries<'b>;
    type SerializeStructVariant = Entries<'b>;

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<Value, Error> {
        self.leaf(value)
    }

    fn serialize_i8(self, value: i8) -> Result<Value, Error> {
        self.leaf(value)
    }

    fn serialize_i16(self, value: i16) -> Result<Value, Error> {
        self.leaf(value)
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> Result<Value, Error> {
        self.leaf(value)
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<Value, Error> {
        self.leaf(value)
    }

    fn serialize_i128(self, value: i128) -> Result<Value, Error> {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => self.leaf(value),
            (_, Ok(value)) => self.leaf(value),
            _ => self.shown(value),
        }
    }

    fn serialize_u8(self, value: u8) -> Result<Value, Error> {
        self.budget.say_octet();
        self.leaf(value)
    }

    fn serialize_u16(self, value: u16) -> Result<Value, Error> {
        self.leaf(value)
    }

    #[inline]
    fn serialize_u32(self, value: u32) -> Result<Value, Error> {
        self.leaf(value)
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<Value, Error> {
        self.leaf(value)
    }

    fn serialize_u128(self, value: u128) -> Result<Value, Error> {
        match u64::try_from(value) {
            Ok(value) => self.leaf(value),
            Err(_) => self.shown(value),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Error> {
        self.serialize_f64(number::of_f32(value))
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<Value, Error> {
        match number::name(value) {
            Some(name) => self.text(name, false),
            None => self.leaf(Number::from_f64(number::meant(value)).map(Value::Number)),
        }
    }

    fn serialize_char(self, value: char) -> Result<Value, Error> {
        self.text(value.encode_utf8(&mut [0; 4]), true)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<Value, Error> {
        self.text(value, true)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<Value, Error> {
        self.shown(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Error> {
        if value.len() > BEGINNING {
            self.budget.cut();
        }
        let text = some_octets(Some(value.len()), value.iter().copied());
        self.budget.weigh(text.len());
        self.leaf(text)
    }

    #[inline]
    fn serialize_none(self) -> Result<Value, Error> {
        self.leaf(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        if takes_a_lock(type_name::<T>()) {
            return Ok(BEHIND_A_LOCK.into());
        }
        value.serialize(self.through()?)
    }

    #[inline]
    fn serialize_unit(self) -> Result<Value, Error> {
        self.leaf(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        self.leaf(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<Value, Error> {
        self.leaf(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        self.serialize_some(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(variant(name, self.within()?.part(value)))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'b>, Error> {
        self.items(None, length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Items<'b>, Error> {
        self.items(None, Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items<'b>, Error> {
        self.items(None, Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Items<'b>, Error> {
        self.items(Some(name), Some(length))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'b>, Error> {
        self.entries(None, "")
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Entries<'b>, Error> {
        self.entries(None, name)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Entries<'b>, Error> {
        self.entries(Some(name), "")
    }

    /// Takes slices, vectors and sets, and stops where the bounds are reached.
    fn collect_seq<I>(self, items: I) -> Result<Value, Error>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        let items = items.into_iter();
        let (least, most) = items.size_hint();
        let mut taken = self.items(None, most.filter(|most| *most == least))?;
        for item in items {
            if !taken.add(&item) {
                break;
            }
        }
        Ok(taken.finish())
    }

    /// Takes maps, and stops where the bounds are reached.
    fn collect_map<K, V, I>(self, entries: I) -> Result<Value, Error>
    where
        K: Serialize,
        V: Serialize,
        I: IntoIterator<Item = (K, V)>,
    {
        let mut taken = self.entries(None, "")?;
        for (key, value) in entries {
            let key = taken.to.key(&key);
            if !taken.add(key, &value) {
                break;
            }
        }
        Ok(taken.finish())
    }
}

/// The items that a list has held so far are all of one kind, or mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Octets,
    Numbers,
    Anything,
}

/// The list is a variant's, or stands by itself.
#[derive(Debug)]
pub(super) struct Items<'b> {
    to: Lenient<'b>,
    variant: Option<&'static str>,
    /// The serialised value may announce this length.
    length: Option<usize>,
    items: Vec<Value>,
    kind: Kind,
    is_over: bool,
}

impl Items<'_> {
    /// Adds an item; returns false where it was the last that is taken.
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> bool {
        self.is_over = self.is_over || self.is_enough();
        if self.is_over {
            self.to.budget.cut();
            return false;
        }
        self.to.budget.take_octet();
        let item = self.to.part(value);
        let is_octet = self.to.budget.take_octet();
        self.kind = match item {
            Value::Number(_) if is_octet => self.kind,
            Value::Number(_) | Value::Bool(_) | Value::Null => self.kind.with_number(),
            Value::String(ref text) if number::is_name(text) => self.kind.with_number(),
            _ => Kind::Anything,
        };
        self.items.push(item);
        true
    }

    /// Returns whether one more entry would be too much.
    fn is_enough(&self) -> bool {
        let most = match self.kind {
            _ if self.to.budget.is_used_up() => return true,
            Kind::Octets => BYTES,
            Kind::Numbers => NUMBERS,
            Kind::Anything => return false,
        };
        self.items.len() >= most
            || (self.items.len() >= BEGINNING && self.length.is_some_and(|all| all > most))
    }

    fn finish(mut self) -> Value {
        let list = match self.kind {
            Kind::Octets if self.is_over && !self.items.is_empty() => {
                let bytes = self.items.iter().filter_map(Value::as_u64);
                some_octets(self.length, bytes.map(|byte| byte as u8)).into()
            }
            kind => {
                if self.is_over {
                    if kind == Kind::Numbers {
                        self.items.truncate(BEGINNING);
                    }
                    let mark = limits::items_mark(self.length, self.items.len());
                    self.items.push(mark.into());
                } else if self.items.is_empty() {
                    self.to.budget.count();
                }
                self.items.into()
            }
        };
        match self.variant {
            Some(name) => variant(name, list),
            None => list,
        }
    }

    /// Leaves the items that there are, for an owner that has to be stopped by an error.
    fn stop(&mut self) -> Error {
        let to = self.to;
        let gathered = std::mem::replace(
            self,
            Self {
                to,
                variant: None,
                length: None,
                items: Vec::new(),
                kind: Kind::Anything,
                is_over: true,
            },
        );
        to.budget.leave(gathered.finish());
        Error::custom("enough")
    }
}

impl Kind {
    const fn with_number(self) -> Self {
        match self {
            Self::Anything => Self::Anything,
            _ => Self::Numbers,
        }
    }
}

/// The map or struct is a variant's, or stands by itself.
#[derive(Debug)]
pub(super) struct Entries<'b> {
    to: Lenient<'b>,
    variant: Option<&'static str>,
    type_name: &'static str,
    entries: Map<String, Value>,
    key: String,
}

impl Entries<'_> {
    /// Adds an entry; returns false where there was no more room.
    fn add<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> bool {
        let budget = self.to.budget;
        budget.weigh(key.len());
        if budget.is_used_up() || self.entries.len() == ENTRIES {
            budget.cut();
            self.entries
                .insert(limits::TRUNCATED.to_owned(), true.into());
            return false;
        }
        self.entries.insert(key, self.to.part(value));
        true
    }

    fn finish(mut self) -> Value {
        if self.type_name == "SystemTime"
            && let Some(text) = time(&self.entries)
        {
            return text.into();
        }
        if private::is_private(self.type_name)
            && let Some(private) = private::read(self.type_name, &mut self.entries)
        {
            return match private {
                Private::Plain(value) => value,
                Private::Raw(text) => self.raw(text),
            };
        }
        if self.entries.is_empty() {
            self.to.budget.count();
        }
        match self.variant {
            Some(name) => variant(name, self.entries.into()),
            None => self.entries.into(),
        }
    }

    /// Returns JSON as it was written; a text that is too long for that, or was cut, stays a text.
    fn raw(self, text: String) -> Value {
        let read = (text.len() <= RAW_BYTES).then(|| serde_json::from_str::<Value>(&text));
        match read {
            Some(Ok(value)) => self.to.part(&value),
            _ => text.into(),
        }
    }

    fn stop(&mut self) -> Error {
        let budget = self.to.budget;
        let entries = std::mem::take(&mut self.entries).into();
        budget.leave(match self.variant {
            Some(name) => variant(name, entries),
            None => entries,
        });
        Error::custom("enough")
    }
}

/// Returns the time in the fields that `serde` makes of a [`SystemTime`](std::time::SystemTime), as RFC 3339.
fn time(entries: &Map<String, Value>) -> Option<String> {
    let seconds = Duration::from_secs(entries.get("secs_since_epoch")?.as_u64()?);
    let nanos = Duration::from_nanos(entries.get("nanos_since_epoch")?.as_u64()?);
    rfc3339::format(seconds.checked_add(nanos)?)
}

macro_rules! items {
    ($($for:ident: $method:ident),*) => {$(
        impl $for for Items<'_> {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                if self.add(value) { Ok(()) } else { Err(self.stop()) }
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
        impl $for for Entries<'_> {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                if self.add(key.to_owned(), value) { Ok(()) } else { Err(self.stop()) }
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.finish())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Entries<'_> {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.key = self.to.key(value);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        if self.add(key, value) {
            Ok(())
        } else {
            Err(self.stop())
        }
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.finish())
    }
}
