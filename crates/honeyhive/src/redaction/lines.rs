//! Lines that are a name and a value: headers as they are written, YAML, settings.

use std::ops::Range;

/// Whether nothing but a list's mark stands before this on its line.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t', '-', '*', '>', '<']);
    // A text that is quoted in another has its line ends escaped.
    before.is_empty() || before.ends_with(['\n', '\r']) || is_escaped_end(before)
}

fn is_escaped_end(before: &str) -> bool {
    before.ends_with("\\n") || before.ends_with("\\r")
}

/// The value that begins here and ends with its line, where it is one rather than the beginning of a sentence: a single
/// word, or what a header of this name holds.
pub(super) fn value(text: &str, start: usize, name: &str) -> Option<Range<usize>> {
    let rest = &text[start..];
    let ends = ["\n", "\r", "\\n", "\\r", "\"", "'"];
    let length = ends.iter().filter_map(|end| rest.find(end)).min();
    let line = rest[..length.unwrap_or(rest.len())].trim_end();
    let words = line.split_ascii_whitespace().count();
    let is_value =
        words == 1 || (is_header(name) && (words == 2 || (words > 2 && line.contains('='))));
    is_value.then(|| start..start + line.len())
}

/// Whether a header of this name holds more than a word.
fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("cookie") || name.ends_with("authorization")
}
