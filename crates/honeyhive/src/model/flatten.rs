//! [`flatten`] makes JSON the attributes of a span, with their keys.

use std::fmt::Write;
use std::ops::ControlFlow::{self, Break, Continue};

use opentelemetry::{Key, KeyValue, Value};
use serde_json::{Number, Value as Json};

/// Flattens a value: maps and lists become one attribute a leaf, `prefix.key` and `prefix.0`; nulls and empty ones
/// nothing, as the official SDK does. `put` decides when it is enough.
pub(crate) fn flatten(
    key: Key,
    value: Json,
    put: &mut dyn FnMut(KeyValue) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match value {
        Json::Null => Continue(()),
        Json::Bool(flag) => put(KeyValue::new(key, flag)),
        Json::Number(number) => put(KeyValue::new(key, number_value(&number))),
        Json::String(text) => put(KeyValue::new(key, text)),
        Json::Array(items) => {
            let mut items = items.into_iter().enumerate();
            items.try_for_each(|(index, item)| flatten(key_of_item(&key, index), item, put))
        }
        Json::Object(object) => {
            let mut entries = object.into_iter();
            entries.try_for_each(|(name, item)| flatten(key_below(key.as_str(), &name), item, put))
        }
    }
}

/// Returns `parent.name`. Every leaf has a key, so that one of the right size is made by a single allocation.
pub(crate) fn key_below(parent: &str, name: &str) -> Key {
    let mut key = String::with_capacity(parent.len() + 1 + name.len());
    key.push_str(parent);
    key.push('.');
    key.push_str(name);
    key.into()
}

fn key_of_item(parent: &Key, index: usize) -> Key {
    let digits = index.checked_ilog10().unwrap_or_default() as usize + 1;
    let mut key = String::with_capacity(parent.as_str().len() + 1 + digits);
    // A `String` takes all that is written to it.
    let _ = write!(key, "{parent}.{index}");
    key.into()
}

/// Wraps `put` with a limit of attributes; one more shows that there were more.
pub(crate) fn at_most(
    mut most: usize,
    mut put: impl FnMut(KeyValue),
) -> impl FnMut(KeyValue) -> ControlFlow<()> {
    move |attribute| {
        if most == 0 {
            return Break(());
        }
        most -= 1;
        put(attribute);
        Continue(())
    }
}

/// Returns a number as a value; one that the wire has no room for goes as text: beyond 64 bits signed, or beyond what a
/// fraction holds.
fn number_value(number: &Number) -> Value {
    if let Some(integer) = number.as_i64() {
        return integer.into();
    }
    // Whole numbers of any length come here, where some crate has turned on `arbitrary_precision`.
    let fraction = number
        .as_f64()
        .filter(|it| number.is_f64() && it.is_finite());
    fraction.map_or_else(|| number.to_string().into(), Value::from)
}
