//! Names that stand beside their values instead of before them: `[["authorization", "x"]]`, as lists of headers are
//! serialised, and `{"name": "authorization", "value": "x"}`.

use opentelemetry::{KeyValue, Value as Attribute};
use serde_json::Value as Json;

use super::walk::Walk;
use crate::model::object::Object;

/// The member that another member says the name of.
pub(super) const VALUE: &str = "value";
/// The members that say it.
const NAMES: [&str; 4] = ["field", "header", "key", "name"];
/// The longest name, in bytes.
const LONGEST: usize = 128;

/// Whether a list is one of names with their values.
pub(super) fn are_pairs(items: &[Json]) -> bool {
    let is_pair = |item: &Json| {
        let pair = item.as_array().map(Vec::as_slice);
        matches!(pair, Some([Json::String(_), _]))
    };
    !items.is_empty() && items.iter().all(is_pair)
}

/// The attributes that are called something else, with the paths by which they are hidden.
#[derive(Debug, Default)]
pub(super) struct Said(Vec<(String, String)>);

impl Said {
    /// The path of an attribute.
    pub(super) fn of<'a>(&'a self, key: &'a str) -> &'a str {
        let said = self.0.iter().find(|(of, _)| of == key);
        said.map_or(key, |(_, path)| path)
    }
}

/// Whether a member of this name may say what its neighbour is called.
pub(super) fn is_name(key: &str) -> bool {
    NAMES.contains(&key)
}

impl Walk<'_> {
    /// Whether a part of the value would be hidden if it were called this.
    pub(super) fn hides_as(&mut self, name: &str) -> bool {
        name.len() <= LONGEST && self.at(name, |walk| walk.hidden().is_some())
    }

    /// The name that an object says its value has, where that hides it.
    pub(super) fn said_of_value(&mut self, object: &Object) -> Option<String> {
        object.get(VALUE)?;
        let mut names = NAMES.iter().filter_map(|it| object.get(*it)?.as_str());
        names.find(|name| self.hides_as(name)).map(str::to_owned)
    }

    /// The same of lists and objects that were laid out as attributes: `headers.0.0` is the name of `headers.0.1`.
    pub(super) fn said_of_others(&mut self, attributes: &[&mut KeyValue]) -> Said {
        let mut said = Said::default();
        for attribute in attributes {
            let Attribute::String(name) = &attribute.value else {
                continue;
            };
            let Some((parent, last)) = attribute.key.as_str().rsplit_once('.') else {
                continue;
            };
            let beside = if is_name(last) {
                VALUE
            } else if last == "0" && is_in_list(parent) {
                "1"
            } else {
                continue;
            };
            let path = format!("{parent}.{}", name.as_str());
            if name.as_str().len() <= LONGEST
                && self.at_attribute(&path, |walk| walk.hidden().is_some())
            {
                said.0.push((format!("{parent}.{beside}"), path));
            }
        }
        said
    }
}

fn is_in_list(path: &str) -> bool {
    let last = path.rsplit_once('.').map_or("", |(_, last)| last);
    !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}
