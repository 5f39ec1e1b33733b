//! A [`Walk`] hides values by a name beside them.

use opentelemetry::{KeyValue, Value as Attribute};

use super::pairs::{LONGEST, NamedBeside, is_in_list, is_name, is_value};
use super::walk::Walk;
use super::{arguments, options};
use crate::model::object::Object;

impl Walk<'_> {
    /// Returns whether a part of the value would be hidden under this name.
    pub(super) fn hides_as(&mut self, name: &str) -> bool {
        name.len() <= LONGEST && self.at(name, |walk| walk.hidden().is_some())
    }

    /// Returns the name that an object gives its `value`, where that name hides it.
    pub(super) fn said_of_value(&mut self, object: &Object) -> Option<String> {
        object.keys().find(|key| is_value(key))?;
        let members = object.iter().filter(|(key, _)| is_name(key));
        let mut names = members.filter_map(|(_, name)| name.as_str());
        names.find(|name| self.hides_as(name)).map(str::to_owned)
    }

    /// Finds names beside their values in lists and objects that were laid out as attributes: `headers.0.0` is the name
    /// of `headers.0.1`.
    pub(super) fn said_of_others(&mut self, attributes: &[&mut KeyValue]) -> NamedBeside {
        let mut said = NamedBeside::default();
        for attribute in attributes {
            let Attribute::String(name) = &attribute.value else {
                continue;
            };
            let Some((parent, last)) = parent_and_last(attribute.key.as_str()) else {
                continue;
            };
            if let Some((key, path)) = self.said_by_option(attributes, parent, last, name.as_str())
            {
                said.push(key, path);
                continue;
            }
            let is_pair = last == "0" && is_in_list(parent);
            if !(is_pair || is_name(last)) || name.as_str().len() > LONGEST {
                continue;
            }
            let path = format!("{parent}.{}", name.as_str());
            if self.at_attribute(&path, |walk| walk.hidden().is_some()) {
                for key in named_by(attributes, parent, is_pair) {
                    said.push(key, path.clone());
                }
            }
        }
        said
    }

    /// Returns the key of the value behind an option, `args.1` of `args.0`, and the path that hides it.
    fn said_by_option(
        &mut self,
        attributes: &[&mut KeyValue],
        parent: &str,
        last: &str,
        text: &str,
    ) -> Option<(String, String)> {
        let name = arguments::name_of(text)?;
        let next = format!("{parent}.{}", last.parse::<usize>().ok()?.checked_add(1)?);
        let path = format!("{parent}.{name}");
        let mut hides = |path: &str| self.at_attribute(path, |walk| walk.hidden().is_some());
        if !options::holds_secret(name, |_| hides(&path)) {
            return None;
        }
        let value = attributes.iter().find(|it| it.key.as_str() == next)?;
        options::is_value(&value.value.as_str()).then_some((next, path))
    }
}

/// Splits a key by bytes, since that takes a quarter of the time of `rsplit_once` and runs for each key.
fn parent_and_last(key: &str) -> Option<(&str, &str)> {
    let dot = key.bytes().rposition(|byte| byte == b'.')?;
    Some((&key[..dot], &key[dot + 1..]))
}

/// Returns the keys of the values that a name is for: the second item of a pair, or the members `value` and everything
/// below them.
fn named_by(attributes: &[&mut KeyValue], parent: &str, is_pair: bool) -> Vec<String> {
    if is_pair {
        return vec![format!("{parent}.1")];
    }
    let beside = attributes.iter().filter_map(|it| {
        let key = it.key.as_str();
        let rest = key.strip_prefix(parent)?.strip_prefix('.')?;
        is_value(rest.split('.').next()?).then(|| key.to_owned())
    });
    beside.collect()
}
