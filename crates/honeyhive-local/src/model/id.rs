//! Ids are kept in one form.

/// Returns `id` in lower case where it is a hyphenated UUID, and otherwise as it came: what HoneyHive makes of other
/// session ids on spans is not documented.
pub(crate) fn canonical_id(id: &str) -> String {
    parse_uuid(id).unwrap_or_else(|| id.to_owned())
}

/// An id has this many bytes at the most: it has its place in the paths of pages and calls.
const LONGEST: usize = 256;

/// Returns the id that `text` names something by; none where it is blank, too long or has control characters.
pub(crate) fn named_id(text: &str) -> Option<String> {
    let has_control = text.chars().any(char::is_control);
    let names = text.len() <= LONGEST && !has_control && !text.trim().is_empty();
    names.then(|| canonical_id(text))
}

/// Returns the hyphenated UUID that `text` is, in lower case.
pub(crate) fn parse_uuid(text: &str) -> Option<String> {
    const HYPHENATED: usize = 36;
    let uuid = uuid::Uuid::try_parse(text).ok()?;
    (text.len() == HYPHENATED).then(|| uuid.to_string())
}
