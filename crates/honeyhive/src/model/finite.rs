//! Numbers that JSON does not know are replaced in attributes: a collector refuses the whole batch for one of them.

use opentelemetry::{Array, KeyValue, StringValue, Value};

use crate::model::number;

/// Puts the name of a number that is none (`nan`, `inf`, `-inf`) in its place. A list of numbers with one in it
/// becomes one of texts.
pub(crate) fn name_numbers<'a>(attributes: impl IntoIterator<Item = &'a mut KeyValue>) {
    for attribute in attributes {
        match &mut attribute.value {
            Value::F64(value) => {
                if let Some(name) = number::name(*value) {
                    attribute.value = name.into();
                }
            }
            Value::Array(array) => name_in_list(array),
            _ => {}
        }
    }
}

/// Returns whether any attribute has such a number.
pub(crate) fn has_nameless<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> bool {
    attributes
        .into_iter()
        .any(|attribute| match &attribute.value {
            Value::F64(value) => !value.is_finite(),
            Value::Array(Array::F64(values)) => values.iter().any(|value| !value.is_finite()),
            _ => false,
        })
}

fn name_in_list(array: &mut Array) {
    if let Array::F64(values) = array
        && values.iter().any(|value| !value.is_finite())
    {
        let text = |value: &f64| match number::name(*value) {
            Some(name) => StringValue::from(name),
            None => value.to_string().into(),
        };
        *array = Array::String(values.iter().map(text).collect());
    }
}
