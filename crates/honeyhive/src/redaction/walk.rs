//! [`Walk`] goes through one item and masks what the rules hide.

use std::fmt::Write as _;

use opentelemetry::{Array, KeyValue, StringValue, Value as Attribute};
use serde_json::Value as Json;

use super::pairs::{NamedBeside, are_pairs, is_value};
use super::rules::Hidden;
use super::scan::{is_valid, json_in};
use super::{Field, MARK, Place, Rules, Verdict, arguments, options};
use crate::attributes::{
    ERROR, EVENT_ID, EVENT_TYPE, LEGACY_SESSION_ID, SESSION_AUTO_CREATE, SESSION_ID,
};
use crate::model::id::EventId;
use crate::model::object::{Bucket, Object};

/// A walk goes through one item. Each value that it has masked counts once.
#[derive(Debug)]
pub(crate) struct Walk<'r> {
    rules: &'r Rules,
    place: Place,
    /// The path of the value has dots between the keys.
    path: String,
    masked: u64,
    /// So many texts around the place are JSON.
    depth: usize,
    /// The flag tells whether the program's hook is called, too.
    asks: bool,
}

impl<'r> Walk<'r> {
    pub(crate) const fn new(rules: &'r Rules, place: Place) -> Self {
        Self {
            rules,
            place,
            path: String::new(),
            masked: 0,
            depth: 0,
            asks: true,
        }
    }

    /// Returns the walk without the hook, which is called later.
    pub(crate) fn without_hook(self) -> Self {
        Self {
            asks: false,
            ..self
        }
    }

    pub(crate) const fn masked(&self) -> u64 {
        self.masked
    }

    /// Enters another part of the item.
    pub(crate) fn enter(&mut self, place: Place) {
        self.place = place;
    }

    /// Masks a text that is called this.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> Option<String> {
        self.at(name, |walk| match walk.rules.hides(&walk.path) {
            Some(_) => walk.mark(text),
            None => walk.content(text),
        })
    }

    /// Masks the name of a session, a span or an event: no key hides it, for nobody could tell what it was.
    pub(crate) fn name(&mut self, text: &str) -> Option<String> {
        self.at("name", |walk| walk.content(text))
    }

    /// Masks a bucket of this name.
    pub(crate) fn bucket(&mut self, name: &str, object: &mut Object) {
        if !object.is_empty() {
            self.at(name, |walk| walk.members(object));
        }
    }

    /// Masks the attributes of a span, an event or a link.
    pub(crate) fn attributes<'a>(
        &mut self,
        attributes: impl IntoIterator<Item = &'a mut KeyValue>,
    ) {
        let mut attributes: Vec<_> = attributes.into_iter().collect();
        let said = self.said_of_others(&attributes);
        for attribute in &mut attributes {
            if self.place != Place::Span || !is_skeleton(attribute) {
                self.attribute(attribute, &said);
            }
        }
    }

    fn attribute(&mut self, attribute: &mut KeyValue, said: &NamedBeside) {
        let KeyValue { key, value, .. } = attribute;
        let path = said.of(key.as_str());
        self.at_attribute(path, |walk| walk.attribute_value(value));
        if let Some(masked) = self.rules.without_matches(key.as_str()) {
            self.masked += 1;
            *key = masked.into();
        }
    }

    fn attribute_value(&mut self, value: &mut Attribute) {
        if let Some(hidden) = self.rules.hides(&self.path) {
            let is_flag = matches!(value, Attribute::Bool(_) | Attribute::Array(Array::Bool(_)));
            if !(hidden == Hidden::Likely && is_flag)
                && let Some(mark) = self.mark(&value.as_str())
            {
                *value = mark.into();
            }
            return;
        }
        match value {
            Attribute::String(text) => {
                if let Some(masked) = self.content(text.as_str()) {
                    *text = masked.into();
                }
            }
            Attribute::Array(array) => self.array(array),
            Attribute::I64(number) => {
                if let Some(masked) = self.integer(number) {
                    *value = masked.into();
                }
            }
            other => {
                if let Some(verdict) = self.other(|| other.as_str().into_owned()) {
                    *other = verdict.into();
                }
            }
        }
    }

    /// Masks the items of a list: one of numbers becomes one of texts where one of them is masked.
    fn array(&mut self, array: &mut Array) {
        match array {
            Array::String(texts) => self.texts(texts),
            Array::I64(numbers) => {
                let masked: Vec<_> = numbers.iter().map(|it| self.integer(it)).collect();
                if masked.iter().any(Option::is_some) {
                    let texts = masked.into_iter().zip(numbers.iter());
                    let text = |(masked, number): (Option<String>, &i64)| {
                        StringValue::from(masked.unwrap_or_else(|| number.to_string()))
                    };
                    *array = Array::String(texts.map(text).collect());
                }
            }
            _ => {}
        }
    }

    fn texts(&mut self, texts: &mut [StringValue]) {
        let mut option = None;
        for text in texts {
            let value = option.take().filter(|_| options::is_value(text.as_str()));
            let masked = match value {
                Some(_) => self.mark(text.as_str()),
                None => self.content(text.as_str()),
            };
            option = self.option(text.as_str());
            if let Some(masked) = masked {
                *text = masked.into();
            }
        }
    }

    /// Returns the name of an option that is followed by a secret.
    pub(super) fn option(&mut self, text: &str) -> Option<String> {
        let name = arguments::name_of(text)?;
        options::holds_secret(name, |name| self.hides_as(name)).then(|| name.to_owned())
    }

    fn members(&mut self, object: &mut Object) {
        let said = self.said_of_value(object);
        for (key, value) in object.iter_mut() {
            let name = said.as_deref().filter(|_| is_value(key));
            self.at(name.unwrap_or(key), |walk| walk.json(value));
        }
        if object
            .keys()
            .any(|key| self.rules.without_matches(key).is_some())
        {
            self.rename_members(object);
        }
    }

    /// Masks keys, too: a key may be an address.
    fn rename_members(&mut self, object: &mut Object) {
        for (key, value) in std::mem::take(object) {
            let Some(masked) = self.rules.without_matches(&key) else {
                object.insert(key, value);
                continue;
            };
            self.masked += 1;
            let mut name = masked.clone();
            let mut number = 2;
            while object.contains_key(&name) {
                name.clone_from(&masked);
                // Writing to a text does not fail.
                let _ = write!(name, "_{number}");
                number += 1;
            }
            object.insert(name, value);
        }
    }

    fn json(&mut self, value: &mut Json) {
        if let Some(hidden) = self.rules.hides(&self.path) {
            let stays = value.is_null() || (value.is_boolean() && hidden == Hidden::Likely);
            if !stays && let Some(mark) = self.mark(value.as_str().unwrap_or_default()) {
                *value = mark.into();
            }
            return;
        }
        let masked = match *value {
            Json::Object(ref mut object) => return self.members(object),
            Json::Array(ref mut items) => return self.items(items),
            Json::Null => None,
            Json::String(ref text) => self.content(text),
            Json::Number(ref number) if !number.is_f64() => self.integer(number),
            ref other => self.other(|| other.to_string()),
        };
        if let Some(masked) = masked {
            *value = masked.into();
        }
    }

    fn items(&mut self, items: &mut [Json]) {
        let are_pairs = are_pairs(items);
        let mut option = None;
        let mut buffer = String::new();
        for (index, item) in items.iter_mut().enumerate() {
            buffer.clear();
            // Writing to a text does not fail.
            let _ = write!(buffer, "{index}");
            let said = option.take().filter(|_| {
                let text = item.as_str();
                text.is_none_or(options::is_value)
            });
            option = item.as_str().and_then(|text| self.option(text));
            let key = said.as_deref().unwrap_or(&buffer);
            self.at(key, |walk| match item.as_array_mut() {
                Some(pair) if are_pairs => walk.pair(pair),
                _ => walk.json(item),
            });
        }
    }

    /// Masks a name and its value.
    fn pair(&mut self, pair: &mut [Json]) {
        let [Json::String(name), value] = pair else {
            return;
        };
        let key = if self.hides_as(name) {
            name.as_str()
        } else {
            "1"
        };
        self.at(key, |walk| walk.json(value));
        if let Some(masked) = self.at("0", |walk| walk.content(name)) {
            *name = masked;
        }
    }

    /// Masks a text, which may be JSON itself.
    pub(super) fn content(&mut self, text: &str) -> Option<String> {
        /// JSON in JSON in JSON is read to this depth, and masked as a whole beyond, where it names a secret.
        const DEPTH: usize = 8;
        let Some(json) = json_in(text) else {
            return self.leaf(text);
        };
        if self.depth == DEPTH || !is_valid(json) {
            return match self.rules.hides_a_name_in(json) {
                true => self.mark(text),
                false => self.leaf(text),
            };
        }
        self.depth += 1;
        let masked = self.json_text(json);
        self.depth -= 1;
        // Blanks and marks around JSON are no content.
        masked
    }

    fn integer(&mut self, number: &impl ToString) -> Option<String> {
        // Digits alone name nothing: patterns and the hook are all that may mind them.
        let is_read = self.rules.has_patterns() || self.asks_hook();
        is_read.then(|| self.leaf(&number.to_string())).flatten()
    }

    /// Masks a value that no pattern is meant for: the digits of a fraction look like anything.
    fn other(&mut self, text: impl FnOnce() -> String) -> Option<String> {
        if !self.asks_hook() {
            return None;
        }
        let text = text();
        let verdict = self.ask(&text);
        self.follow(&text, verdict)
    }

    const fn asks_hook(&self) -> bool {
        self.asks && self.rules.has_hook()
    }

    fn leaf(&mut self, text: &str) -> Option<String> {
        let without_values = self.rules.without_values(text, || is_url(&self.path));
        let (without_values, count) = without_values.unzip();
        self.masked += count.unwrap_or_default();
        let seen = without_values.as_deref().unwrap_or(text);
        let without_matches = self.rules.without_matches(seen);
        self.masked += u64::from(without_matches.is_some());
        let masked = without_matches.or(without_values);
        let seen = masked.as_deref().unwrap_or(text);
        let verdict = self.ask(seen);
        self.follow(seen, verdict).or(masked)
    }

    fn ask(&self, value: &str) -> Verdict {
        if !self.asks {
            return Verdict::Keep;
        }
        self.rules.ask(&Field {
            place: self.place,
            path: &self.path,
            value,
        })
    }

    fn follow(&mut self, text: &str, verdict: Verdict) -> Option<String> {
        match verdict {
            Verdict::Keep => None,
            Verdict::Mask => self.mark(text),
            Verdict::Replace(other) => {
                self.masked += 1;
                Some(other)
            }
        }
    }

    /// Returns the mark in place of a text, unless the text is the mark already.
    fn mark(&mut self, text: &str) -> Option<String> {
        (text != MARK).then(|| {
            self.masked += 1;
            MARK.to_owned()
        })
    }

    /// Puts the mark instead of a piece of JSON that is hidden.
    pub(super) fn mark_json(&mut self, json: &str, hidden: Hidden) -> bool {
        let stays =
            json == "null" || (hidden == Hidden::Likely && matches!(json, "true" | "false"));
        let is_marked = json.strip_prefix('"').and_then(|it| it.strip_suffix('"')) == Some(MARK);
        let is_masked = !stays && !is_marked;
        self.masked += u64::from(is_masked);
        is_masked
    }

    /// Masks a number or a name in JSON.
    pub(super) fn scalar(&mut self, json: &str) -> Option<String> {
        match json.as_bytes() {
            [b'-' | b'0'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
                self.leaf(json)
            }
            b"null" => None,
            _ => self.other(|| json.to_owned()),
        }
    }

    /// Masks a key in JSON, which may be an address.
    pub(super) fn key(&mut self, key: &str) -> Option<String> {
        let masked = self.rules.without_matches(key);
        self.masked += u64::from(masked.is_some());
        masked
    }

    /// Enters a part of the value; [`leave`](Self::leave) goes back.
    pub(super) fn go(&mut self, key: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(key);
    }

    pub(super) fn leave(&mut self, length: usize) {
        self.path.truncate(length);
    }

    pub(super) fn length(&self) -> usize {
        self.path.len()
    }

    /// Returns the keys of the path behind this length.
    pub(super) fn key_from(&self, length: usize) -> &str {
        self.path[length..].trim_start_matches('.')
    }

    /// Returns whether a part of the value with a path of this length would be hidden under this name.
    pub(super) fn hides_from(&mut self, length: usize, name: &str) -> bool {
        self.from(length, |walk| walk.hides_as(name))
    }

    /// Returns whether a text within the value with a path of this length is an option that is followed by a secret.
    pub(super) fn option_from(&mut self, length: usize, text: &str) -> bool {
        self.from(length, |walk| walk.option(text).is_some())
    }

    fn from<T>(&mut self, length: usize, ask: impl FnOnce(&mut Self) -> T) -> T {
        let key = self.path.split_off(length);
        let answer = ask(self);
        self.path.push_str(&key);
        answer
    }

    pub(super) fn hidden(&self) -> Option<Hidden> {
        self.rules.hides(&self.path)
    }

    pub(super) fn at<T>(&mut self, key: &str, go: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        let result = go(self);
        self.path.truncate(length);
        result
    }

    /// Walks an attribute: one of a bucket has the path that the same has in a session.
    pub(super) fn at_attribute<T>(&mut self, key: &str, go: impl FnOnce(&mut Self) -> T) -> T {
        if key == ERROR {
            return self.at("error", go);
        }
        let in_bucket = Bucket::ALL.into_iter().find_map(|bucket| {
            let rest = key.strip_prefix(bucket.attribute_prefix())?;
            Some((bucket.name(), rest.strip_prefix('.')?))
        });
        match in_bucket {
            Some((bucket, rest)) => self.at(bucket, |walk| walk.at(rest, go)),
            None => self.at(key, go),
        }
    }
}

/// Returns whether the path is of a URL or of a query, by the names that instrumentations have for them.
fn is_url(path: &str) -> bool {
    [
        "url.full",
        "url.query",
        "http.url",
        "http.target",
        "http.query",
        "http.request.url",
    ]
    .iter()
    .any(|name| path.ends_with(name))
        || matches!(
            path.rsplit('.').next(),
            Some("url" | "uri" | "href" | "query_string")
        )
}

/// Returns whether an attribute identifies or routes a span, and can be nothing else: ingestion needs it as it is.
pub(crate) fn is_skeleton(attribute: &KeyValue) -> bool {
    match attribute.key.as_str() {
        // Every span that leaves has these attributes from us.
        SESSION_ID | LEGACY_SESSION_ID | EVENT_TYPE => true,
        SESSION_AUTO_CREATE => matches!(attribute.value, Attribute::Bool(_)),
        EVENT_ID => attribute.value.as_str().parse::<EventId>().is_ok(),
        _ => false,
    }
}
