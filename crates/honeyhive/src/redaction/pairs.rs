//! Names may stand beside their values instead of before them: `[["authorization", "x"]]`, as lists of headers are
//! serialised, and `{"name": "authorization", "value": "x"}`.

use serde_json::Value as Json;

/// The member `value` is named by another, in any case.
const VALUE: &str = "value";
/// These members give the value its name, in any case.
const NAMES: [&str; 4] = ["field", "header", "key", "name"];
/// A name has this many bytes at the most.
pub(super) const LONGEST: usize = 128;

/// Returns whether a list is one of names with their values.
pub(super) fn are_pairs(items: &[Json]) -> bool {
    let is_pair = |item: &Json| {
        let pair = item.as_array().map(Vec::as_slice);
        matches!(pair, Some([Json::String(_), _]))
    };
    !items.is_empty() && items.iter().all(is_pair)
}

/// The attributes are called something else, and are hidden by these paths.
#[derive(Debug, Default)]
pub(super) struct NamedBeside(Vec<(String, String)>);

impl NamedBeside {
    pub(super) fn push(&mut self, key: String, path: String) {
        self.0.push((key, path));
    }

    /// Returns the path of an attribute.
    pub(super) fn of<'a>(&'a self, key: &'a str) -> &'a str {
        let said = self.0.iter().find(|(of, _)| of == key);
        said.map_or(key, |(_, path)| path)
    }
}

/// Returns whether a member of this name may hold the name of its neighbour.
pub(super) fn is_name(key: &str) -> bool {
    NAMES.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// Returns whether a member of this name is the value that its neighbour names: `value`, or `Value` as clouds write it.
pub(super) fn is_value(key: &str) -> bool {
    key.eq_ignore_ascii_case(VALUE) || key.eq_ignore_ascii_case("values")
}

/// Returns whether the path is of an item of a list.
pub(super) fn is_in_list(path: &str) -> bool {
    let last = path.rsplit_once('.').map_or("", |(_, last)| last);
    !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}
