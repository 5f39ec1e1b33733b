//! Ids are kept in one form.

/// Returns `id` in lower case where it is a hyphenated UUID, and otherwise as it came: what HoneyHive makes of other
/// session ids on spans is not documented.
pub(crate) fn canonical_id(id: &str) -> String {
    parse_uuid(id).unwrap_or_else(|| id.to_owned())
}

/// Returns the hyphenated UUID that `text` is, in lower case.
pub(crate) fn parse_uuid(text: &str) -> Option<String> {
    const HYPHENATED: usize = 36;
    let uuid = uuid::Uuid::try_parse(text).ok()?;
    (text.len() == HYPHENATED).then(|| uuid.to_string())
}
