//! Values may come as one attribute a leaf, as OpenInference and Traceloop write messages.

use opentelemetry::{Array, KeyValue, Value as Attribute};
use serde_json::{Map, Value as Json};

/// Returns the attributes below a name, as the list or the object that they were; `None` where there are none.
pub(super) fn below<'a>(
    attributes: impl IntoIterator<Item = &'a KeyValue>,
    name: &str,
) -> Option<Json> {
    let mut root = Map::new();
    for attribute in attributes {
        let Some(rest) = attribute.key.as_str().strip_prefix(name) else {
            continue;
        };
        let Some(path) = rest.strip_prefix('.') else {
            continue;
        };
        // A path that begins with an index belongs to a list.
        if path.starts_with(|first: char| first.is_ascii_digit()) {
            insert(&mut root, path, json(&attribute.value));
        }
    }
    (!root.is_empty()).then(|| listed(root))
}

fn insert(object: &mut Map<String, Json>, path: &str, value: Json) {
    /// A path has this many names at the most.
    const DEPTH: usize = 16;
    let mut place = object;
    let mut names = path.splitn(DEPTH, '.').peekable();
    while let Some(name) = names.next() {
        let entry = place.entry(name.to_owned());
        if names.peek().is_none() {
            *entry.or_insert(Json::Null) = value;
            return;
        }
        let inner = entry.or_insert_with(|| Json::Object(Map::new()));
        if !inner.is_object() {
            *inner = Json::Object(Map::new());
        }
        match inner {
            Json::Object(inner) => place = inner,
            _ => return,
        }
    }
}

/// Turns objects whose names are numbers into lists.
fn listed(object: Map<String, Json>) -> Json {
    let index = |name: &str| name.parse::<usize>().ok();
    let is_list = !object.is_empty() && object.keys().all(|name| index(name).is_some());
    let inner = |value: Json| match value {
        Json::Object(object) => listed(object),
        other => other,
    };
    if !is_list {
        let entries = object.into_iter().map(|(name, value)| (name, inner(value)));
        return Json::Object(entries.collect());
    }
    let mut items: Vec<_> = object
        .into_iter()
        .map(|(name, value)| (index(&name), inner(value)))
        .collect();
    items.sort_by_key(|(index, _)| *index);
    items.into_iter().map(|(_, value)| value).collect()
}

/// Nests a list whose objects have names with dots in them.
pub(super) fn undotted(value: Json) -> Json {
    match value {
        Json::Array(items) => items.into_iter().map(undotted).collect(),
        Json::Object(object) if object.keys().any(|name| name.contains('.')) => {
            let mut root = Map::new();
            for (path, value) in object {
                insert(&mut root, &path, undotted(value));
            }
            listed(root)
        }
        other => other,
    }
}

/// Returns the value of an attribute.
pub(super) fn json(value: &Attribute) -> Json {
    match value {
        Attribute::Bool(flag) => (*flag).into(),
        Attribute::I64(number) => (*number).into(),
        Attribute::F64(number) => (*number).into(),
        Attribute::String(text) => text.as_str().into(),
        Attribute::Array(Array::Bool(flags)) => flags.clone().into(),
        Attribute::Array(Array::I64(numbers)) => numbers.clone().into(),
        Attribute::Array(Array::F64(numbers)) => numbers.clone().into(),
        Attribute::Array(Array::String(texts)) => {
            texts.iter().map(|text| Json::from(text.as_str())).collect()
        }
        other => other.as_str().into(),
    }
}
