//! An event has limits of size. Larger values are cut, with a mark where something is missing.

use std::borrow::Cow;
use std::collections::HashSet;

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value as Json;

use crate::attributes::{
    DROPPED_ATTRIBUTES, ERROR, EVENT_ID, EVENT_TYPE, MAX_ATTRIBUTES, ROUTING_PREFIX, gen_ai_content,
};
use crate::model::object::Object;

/// A text has this many bytes at the most.
pub(crate) const VALUE_BYTES: usize = 1024 * 1024;
/// An event has this many bytes at the most, as the official SDK documents.
pub(crate) const EVENT_BYTES: usize = 10 * 1024 * 1024;
/// Texts are never cut to less than this, however many there are.
const LEAST: usize = 1024;
/// The name of a session or a span has this many bytes at the most.
pub(crate) const NAME_BYTES: usize = 1024;
/// The mark has this much room: a text that has been cut is not cut again.
const MARK: usize = 64;
/// A value or a key costs about this much besides its text.
const OVERHEAD: usize = 8;
/// The member marks an object from which something was taken out.
pub(crate) const TRUNCATED: &str = "truncated";

/// Cuts a finished span of `bytes` bytes down to the limits; false where nothing was cut.
pub(crate) fn fit_span(span: &mut SpanData, bytes: u64) -> bool {
    let has_too_many = span.attributes.len() > MAX_ATTRIBUTES || span.dropped_attributes_count > 0;
    if has_too_many {
        drop_attributes(span, usize::MAX);
    }
    let is_large = bytes > VALUE_BYTES as u64;
    if is_large {
        cut_texts(span);
        drop_attributes(span, EVENT_BYTES);
    }
    has_too_many || is_large
}

/// Cuts the parts that had to stay whole until they were read, and the parts that reading has added.
pub(crate) fn fit_placed(span: &mut SpanData) {
    for attribute in &mut span.attributes {
        cut_value(&mut attribute.value, VALUE_BYTES);
    }
    if span.attributes.len() > MAX_ATTRIBUTES {
        drop_attributes(span, EVENT_BYTES);
    }
}

fn cut_texts(span: &mut SpanData) {
    let limit = limit_of(|limit| texts(span).map(|text| text.len().min(limit)).sum());
    for attribute in &mut span.attributes {
        // A JSON text that is cut is worthless, so it is cut after it has been read.
        let is_read = gen_ai_content(attribute.key.as_str());
        cut_value(
            &mut attribute.value,
            if is_read { EVENT_BYTES } else { limit },
        );
    }
    let events = span.events.events.iter_mut();
    let links = span.links.links.iter_mut();
    let attributes = events
        .flat_map(|event| &mut event.attributes)
        .chain(links.flat_map(|link| &mut link.attributes));
    attributes.for_each(|attribute| cut_value(&mut attribute.value, limit));
    if let opentelemetry::trace::Status::Error { description } = &mut span.status {
        cut_cow(description, limit);
    }
    for event in &mut span.events.events {
        cut_cow(&mut event.name, limit);
    }
    cut_cow(&mut span.name, NAME_BYTES);
}

/// Cuts a text that [exceeds](is_over) the limit.
pub(crate) fn cut_cow(text: &mut Cow<'static, str>, limit: usize) {
    if is_over(text, limit) {
        *text = cut(text, limit).into();
    }
}

/// Cuts objects that go together down to the limit of an event.
pub(crate) fn fit_objects<'a>(objects: impl IntoIterator<Item = &'a mut Object>) {
    let mut objects: Vec<_> = objects.into_iter().collect();
    let total = |objects: &[&mut Object], limit| -> usize {
        objects.iter().map(|object| bytes_of(object, limit)).sum()
    };
    let limit = limit_of(|limit| total(&objects, limit));
    cut_objects(objects.iter_mut().map(|object| &mut **object), limit);
    if total(&objects, usize::MAX) <= EVENT_BYTES {
        return;
    }
    let mut room = EVENT_BYTES;
    for object in &mut objects {
        if !keep_within(object, &mut room) {
            object.insert(TRUNCATED.to_owned(), true.into());
        }
    }
}

/// Removes the entries that there is no room for; true where nothing was removed.
fn keep_within(object: &mut Object, room: &mut usize) -> bool {
    let mut is_whole = true;
    object.retain(|key, value| {
        let fits =
            take(room, key.len() + OVERHEAD) && keep_value_within(value, room, &mut is_whole);
        is_whole &= fits;
        fits
    });
    is_whole
}

fn keep_value_within(value: &mut Json, room: &mut usize, is_whole: &mut bool) -> bool {
    match value {
        Json::Object(object) => *is_whole &= keep_within(object, room),
        Json::Array(items) => items.retain_mut(|item| {
            let fits = keep_value_within(item, room, is_whole);
            *is_whole &= fits;
            fits
        }),
        plain => return take(room, json_bytes(plain, usize::MAX)),
    }
    true
}

fn take(room: &mut usize, bytes: usize) -> bool {
    let left = room.checked_sub(bytes);
    *room = left.unwrap_or(*room);
    left.is_some()
}

/// A text is cut to these lengths, step by step, where HoneyHive finds a single item too large.
pub(crate) const STEPS: [usize; 4] = [256 * 1024, 32 * 1024, 4 * 1024, 512];

/// Cuts every text that [exceeds](is_over) the limit; returns whether there was one.
pub(crate) fn cut_objects<'a>(
    objects: impl IntoIterator<Item = &'a mut Object>,
    limit: usize,
) -> bool {
    let values = objects
        .into_iter()
        .flat_map(|object| object.values_mut())
        .map(|value| shorten_json(value, limit));
    values.fold(false, |any, one| any | one)
}

fn shorten_json(value: &mut Json, limit: usize) -> bool {
    match value {
        Json::String(text) => shorten(text, limit),
        Json::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| any | shorten_json(item, limit)),
        Json::Object(object) => cut_objects([object], limit),
        _ => false,
    }
}

/// Cuts a text that exceeds the limit; returns whether it did.
pub(crate) fn shorten(text: &mut String, limit: usize) -> bool {
    let is_longer = is_over(text, limit);
    if is_longer {
        *text = cut(text, limit);
    }
    is_longer
}

/// Returns the largest bound for a single text with which all of them fit.
fn limit_of(total: impl Fn(usize) -> usize) -> usize {
    let mut limit = VALUE_BYTES;
    while limit > LEAST && total(limit) > EVENT_BYTES {
        limit /= 2;
    }
    limit
}

/// Keeps as many attributes as an event may have, of so many bytes. Routing comes first: without it HoneyHive would
/// show none of them.
fn drop_attributes(span: &mut SpanData, mut bytes: usize) {
    keep_last_writes(&mut span.attributes);
    let before = span.attributes.len();
    let needed = span.attributes.iter().filter(|it| is_needed(it)).count();
    let mut room = MAX_ATTRIBUTES.saturating_sub(1 + needed);
    span.attributes.retain(|attribute| {
        is_needed(attribute) || {
            let fits = room > 0 && take(&mut bytes, attribute_bytes(attribute));
            room = room.saturating_sub(usize::from(fits));
            fits
        }
    });
    span.dropped_attributes_count += (before - span.attributes.len()) as u32;
    if span.dropped_attributes_count > 0 {
        let dropped = i64::from(span.dropped_attributes_count);
        span.attributes
            .push(KeyValue::new(DROPPED_ATTRIBUTES, dropped));
        keep_last_writes(&mut span.attributes);
    }
}

fn attribute_bytes(attribute: &KeyValue) -> usize {
    let value = match &attribute.value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::String(texts)) => texts
            .iter()
            .map(|text| text.as_str().len() + OVERHEAD)
            .sum(),
        Value::Array(Array::I64(numbers)) => numbers.len() * OVERHEAD,
        Value::Array(Array::F64(numbers)) => numbers.len() * OVERHEAD,
        Value::Array(Array::Bool(flags)) => flags.len(),
        _ => 0,
    };
    attribute.key.as_str().len() + OVERHEAD + value
}

/// Keeps the last value of each key: the SDK keeps a key as often as it was set.
pub(crate) fn keep_last_writes(attributes: &mut Vec<KeyValue>) {
    /// Comparing all pairs is faster than hashing up to this number of keys.
    const FEW: usize = 16;
    if attributes.len() <= FEW && !has_doubles(attributes) {
        return;
    }
    let mut seen = HashSet::with_capacity(attributes.len());
    let keys = attributes.iter().map(|attribute| attribute.key.as_str());
    let is_last: Vec<bool> = keys.rev().map(|key| seen.insert(key)).collect();
    if seen.len() < attributes.len() {
        let mut is_last = is_last.into_iter().rev();
        attributes.retain(|_| is_last.next().unwrap_or(true));
    }
}

fn has_doubles(attributes: &[KeyValue]) -> bool {
    let mut each = attributes.iter().enumerate();
    each.any(|(at, one)| {
        attributes[at + 1..]
            .iter()
            .any(|later| later.key == one.key)
    })
}

fn is_needed(attribute: &KeyValue) -> bool {
    let key = attribute.key.as_str();
    key.starts_with(ROUTING_PREFIX) || [EVENT_TYPE, EVENT_ID, ERROR].contains(&key)
}

fn texts(span: &SpanData) -> impl Iterator<Item = &str> {
    let events = span.events.iter().flat_map(|event| &event.attributes);
    let links = span.links.iter().flat_map(|link| &link.attributes);
    let attributes = span.attributes.iter().chain(events).chain(links);
    attributes.flat_map(|attribute| match &attribute.value {
        Value::String(text) => std::slice::from_ref(text).iter().map(StringValue::as_str),
        Value::Array(Array::String(texts)) => texts.iter().map(StringValue::as_str),
        _ => [].iter().map(StringValue::as_str),
    })
}

fn cut_value(value: &mut Value, limit: usize) {
    let cut_text = |text: &mut StringValue| {
        if is_over(text.as_str(), limit) {
            *text = cut(text.as_str(), limit).into();
        }
    };
    match value {
        Value::String(text) => cut_text(text),
        Value::Array(Array::String(texts)) => texts.iter_mut().for_each(cut_text),
        _ => {}
    }
}

fn bytes_of(object: &Object, limit: usize) -> usize {
    object
        .iter()
        .map(|(key, value)| key.len() + OVERHEAD + json_bytes(value, limit))
        .sum()
}

fn json_bytes(value: &Json, limit: usize) -> usize {
    match value {
        Json::String(text) => OVERHEAD + text.len().min(limit),
        Json::Array(items) => items.iter().map(|item| json_bytes(item, limit)).sum(),
        Json::Object(object) => bytes_of(object, limit),
        Json::Number(_) => 2 * OVERHEAD,
        Json::Null | Json::Bool(_) => OVERHEAD,
    }
}

pub(crate) const fn is_over(text: &str, limit: usize) -> bool {
    text.len() > limit + MARK
}

/// Returns the mark in place of values that are nested too deeply.
pub(crate) fn too_deep(depth: usize) -> String {
    format!("… [cut: over {depth} values within each other]")
}

/// Returns the beginning of a text, between two characters, and a mark with its former length.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    let beginning = beginning(text, limit);
    match mark_of(text) {
        Some(at) => format!("{beginning}{}", &text[at..]),
        None => format!("{beginning}{}", mark(text.len())),
    }
}

/// Returns at most `limit` bytes of a text, up to a character's end.
pub(crate) fn beginning(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

const MARK_BEGINS: &str = "… [cut: ";
const MARK_ENDS: &str = " bytes in all]";

/// Returns the mark of a cut text of so many bytes.
pub(crate) fn mark(bytes: impl std::fmt::Display) -> String {
    format!("{MARK_BEGINS}{bytes}{MARK_ENDS}")
}

/// Returns the mark at the end of a cut list: its former length if that is known, and the number of items that are
/// left.
pub(crate) fn items_mark(all: Option<usize>, left: usize) -> String {
    match all {
        Some(all) => format!("{MARK_BEGINS}{all} items in all]"),
        None => format!("{MARK_BEGINS}over {left} items in all]"),
    }
}

/// Returns the place where the mark of a cut text begins.
pub(crate) fn mark_of(text: &str) -> Option<usize> {
    let at = text.strip_suffix(MARK_ENDS)?.rfind(MARK_BEGINS)?;
    (text.len() - at <= MARK).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Json) -> Object {
        match value {
            Json::Object(object) => object,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let before = object(json!({"a": "x".repeat(VALUE_BYTES), "b": [1, {"c": "ü"}]}));
        let mut after = before.clone();
        fit_objects([&mut after]);
        assert_eq!(after, before);
    }

    #[test]
    fn a_long_text_is_cut_between_characters_wherever_it_stands() {
        let long = "ü".repeat(VALUE_BYTES);
        let mut cut = object(json!({"a": {"b": [long]}, "short": 1}));
        fit_objects([&mut cut]);
        let text = cut["a"]["b"][0].as_str().unwrap();
        assert!(text.starts_with("üü") && text.len() < VALUE_BYTES + 64);
        assert!(text.ends_with(&format!("ü… [cut: {} bytes in all]", 2 * VALUE_BYTES)));
        assert_eq!(cut["short"], 1);
    }

    #[test]
    fn many_texts_share_what_an_event_may_hold() {
        let many: Vec<_> = (0..100).map(|_| "x".repeat(VALUE_BYTES / 2)).collect();
        let mut first = object(json!({"many": many, "short": "stays"}));
        let mut second = first.clone();
        fit_objects([&mut first, &mut second]);
        let total = bytes_of(&first, usize::MAX) + bytes_of(&second, usize::MAX);
        assert!(total < EVENT_BYTES + 200 * 64, "{total}");
        assert_eq!(first["short"], "stays");
    }

    #[test]
    fn numbers_keys_and_short_texts_without_end_are_taken_out_with_a_mark() {
        for value in [
            json!({"short": 1, "z": vec![0.25; 2_000_000]}),
            json!({"short": 1, "z": vec!["x".repeat(50); 500_000]}),
            json!({"short": 1, "z": {"x".repeat(11 * 1024 * 1024): 1}}),
        ] {
            let mut object = object(value);
            fit_objects([&mut object]);
            assert!(bytes_of(&object, usize::MAX) < EVENT_BYTES + 64);
            assert_eq!(
                (&object["short"], &object["truncated"]),
                (&json!(1), &json!(true))
            );
        }
    }
}
