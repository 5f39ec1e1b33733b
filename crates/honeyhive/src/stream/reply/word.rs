use crate::stream::json::Text;

/// A name, an id or a reason has this many bytes at the most.
pub(super) const MAX_WORD: usize = 1024;

/// Takes a word that says something; the last one counts, and is kept as it is where it has not changed.
pub(super) fn set<'a, T>(slot: &mut Option<T>, word: Option<Text<'a>>)
where
    T: AsRef<str> + From<String> + From<&'a str>,
{
    let Some(word) = word.filter(|word| !word.written().is_empty()) else {
        return;
    };
    let known = slot.as_ref().map(AsRef::as_ref);
    if known != Some(word.written()) {
        *slot = Some(word.bounded(MAX_WORD));
    }
}
