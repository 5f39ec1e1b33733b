//! A name consists of words.

/// The words of a name are divided by any byte that is neither letter nor digit, and where `camelCase` and `APIKey`
/// have their humps. Characters beyond ASCII count as small letters.
#[derive(Debug, Clone)]
pub(crate) struct Words<'n> {
    rest: &'n str,
}

pub(crate) const fn words(name: &str) -> Words<'_> {
    Words { rest: name }
}

impl<'n> Iterator for Words<'n> {
    type Item = &'n str;

    #[inline]
    fn next(&mut self) -> Option<&'n str> {
        let bytes = self.rest.as_bytes();
        let is = |at: usize, wanted| bytes.get(at).is_some_and(|byte| kind(*byte) == wanted);
        let mut start = 0;
        while kind(*bytes.get(start)?) == Kind::Divider {
            start += 1;
        }
        let mut end = start + 1;
        // Capitals come first, if at all.
        if is(start, Kind::Capital) {
            while is(end, Kind::Capital) && !begins_a_word(&bytes[end + 1..]) {
                end += 1;
            }
        }
        while is(end, Kind::Small) {
            end += 1;
        }
        let word = &self.rest[start..end];
        self.rest = &self.rest[end..];
        Some(word)
    }
}

/// A byte plays one of these parts in a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Divider,
    Capital,
    /// The byte is a small letter, a digit, or part of a character beyond ASCII.
    Small,
}

/// Returns the part of a byte, from a table, since every byte of every name is looked up.
const fn kind(byte: u8) -> Kind {
    const KINDS: [Kind; 256] = {
        let mut kinds = [Kind::Small; 256];
        let mut byte = 0_u8;
        while byte.is_ascii() {
            if byte.is_ascii_uppercase() {
                kinds[byte as usize] = Kind::Capital;
            } else if !byte.is_ascii_alphanumeric() {
                kinds[byte as usize] = Kind::Divider;
            }
            byte += 1;
        }
        kinds
    };
    KINDS[byte as usize]
}

/// Returns whether the last of several capitals begins a word, as in `APIKey`, rather than ending one, as in `IDs`.
fn begins_a_word(after: &[u8]) -> bool {
    let is_small = |text: &[u8]| text.first().is_some_and(u8::is_ascii_lowercase);
    is_small(after) && after.strip_prefix(b"s").is_none_or(is_small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_divided_as_they_are_read() {
        for (name, expected) in [
            ("", &[][..]),
            ("X", &["X"]),
            ("aB", &["a", "B"]),
            ("ABC", &["ABC"]),
            ("--", &[]),
            ("max_tokens", &["max", "tokens"]),
            (
                "http.request.header.x-api-key",
                &["http", "request", "header", "x", "api", "key"],
            ),
            ("authToken", &["auth", "Token"]),
            ("APIKey", &["API", "Key"]),
            ("openAIKeys", &["open", "AI", "Keys"]),
            ("userIDs", &["user", "IDs"]),
            ("URLsToRead", &["URLs", "To", "Read"]),
            ("oauth2Token", &["oauth2", "Token"]),
            ("AWS_SECRET", &["AWS", "SECRET"]),
            ("größe.fürAlle", &["größe", "für", "Alle"]),
        ] {
            assert_eq!(words(name).collect::<Vec<_>>(), expected, "{name}");
        }
    }
}
