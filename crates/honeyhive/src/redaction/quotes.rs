//! Quoted texts are found within texts, at any depth of escaping: a `Debug` of JSON has its quotes escaped once, and so
//! on.

use std::borrow::Cow;
use std::ops::Range;

/// Returns the number of backslashes before the quote at this place.
fn escapes(bytes: &[u8], quote: usize) -> usize {
    let before = bytes[..quote].iter().rev();
    before.take_while(|byte| **byte == b'\\').count()
}

/// Returns the quote that begins here, behind its backslashes.
pub(super) fn quote_at(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = at
        + bytes[at..]
            .iter()
            .take_while(|byte| **byte == b'\\')
            .count();
    matches!(bytes.get(quote), Some(b'"' | b'\'')).then_some(quote)
}

/// Returns the text between this quote and the one that closes it, and the end of the whole; to the end of the text
/// where none closes it. A quote that is escaped less often closes a text around this one, so this one ends before it.
pub(super) fn quoted(bytes: &[u8], quote: usize) -> (Range<usize>, usize) {
    let level = escapes(bytes, quote);
    if level == 0
        && let Some(tripled) = tripled(bytes, quote)
    {
        return tripled;
    }
    let mut at = quote + 1;
    while at < bytes.len() {
        if bytes[at] == bytes[quote] {
            let here = escapes(&bytes[quote + 1..], at - quote - 1);
            if let Some(closed) = levels(level).find(|level| closes(here, *level)) {
                let end = at - closed;
                return (quote + 1..end, if closed == level { at + 1 } else { end });
            }
        }
        at += 1;
    }
    (quote + 1..bytes.len(), bytes.len())
}

/// Returns the text between three quotes and three more, as in TOML and Python.
fn tripled(bytes: &[u8], quote: usize) -> Option<(Range<usize>, usize)> {
    let marks = [bytes[quote]; 3];
    let start = quote + marks.len();
    let inside = bytes[quote..].strip_prefix(&marks)?;
    let length = inside.windows(marks.len()).position(|it| it == marks)?;
    let end = start + length;
    Some((start..end, end + marks.len()))
}

/// Returns the numbers of backslashes of a quote in a text, and in the texts around it.
fn levels(level: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(level), |level| Some(level.checked_sub(1)? / 2))
}

/// Returns whether a quote behind so many backslashes closes a text. Backslashes of the text itself come in pairs, each
/// escaped as often as its quotes.
const fn closes(backslashes: usize, level: usize) -> bool {
    backslashes % (2 * (level + 1)) == level
}

/// Returns whether a word is the prefix of a literal of bytes or of a raw text.
pub(super) fn is_prefix(word: &str) -> bool {
    let word = word.trim_end_matches('#');
    !word.is_empty() && word.len() <= 2 && word.bytes().all(|it| b"bcfruBFRU".contains(&it))
}

/// Returns whether the quote at this place is escaped less often than the one before.
pub(super) fn is_around(bytes: &[u8], quote: usize, before: usize) -> bool {
    escapes(bytes, quote) < escapes(bytes, before)
}

/// Returns the quote that this one closes, no further back than `most` bytes.
pub(super) fn opening(bytes: &[u8], closing: usize, most: usize) -> Option<usize> {
    let level = escapes(bytes, closing);
    let from = closing.saturating_sub(most);
    (from..closing)
        .rev()
        .find(|at| bytes[*at] == bytes[closing] && escapes(bytes, *at) == level)
}

/// Returns a name with its escapes removed, at any depth, those of URLs among them.
pub(super) fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains(['\\', '%']) {
        return Cow::Borrowed(name);
    }
    let name = without_percents(name);
    let mut decoded = String::with_capacity(name.len());
    let mut rest = name.as_ref();
    while let Some(at) = rest.find('\\') {
        decoded.push_str(&rest[..at]);
        rest = rest[at..].trim_start_matches('\\');
        let code = rest
            .strip_prefix('u')
            .and_then(|digits| u32::from_str_radix(digits.get(..4)?, 16).ok());
        if let Some(code) = code {
            decoded.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = &rest[5..];
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// Returns `api%5Fkey` as `api_key`.
fn without_percents(name: &str) -> Cow<'_, str> {
    let mut pieces = name.split('%');
    let mut bytes = Vec::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        let code = piece.get(..2);
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            bytes.extend(&piece.as_bytes()[2..]);
        } else {
            bytes.push(b'%');
            bytes.extend(piece.as_bytes());
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(name), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_closed_at_its_own_depth() {
        for (text, inside, after) in [
            (r#""a" b"#, "a", " b"),
            (r#""a\"b" c"#, r#"a\"b"#, " c"),
            (r#""a\\" b"#, r"a\\", " b"),
            (r#"\"a\" b\" c"#, "a", r#" b\" c"#),
            (r#"\"a\\\"b\" c"#, r#"a\\\"b"#, " c"),
            ("'a\"b' c", "a\"b", " c"),
            ("\"\"\"a \"b\" c\"\"\" d", "a \"b\" c", " d"),
            (r#""open"#, "open", ""),
            (r#"\\\"open\", \\\"b\\\""#, "open", r#"\", \\\"b\\\""#),
            (r#"\"open", "b""#, "open", r#"", "b""#),
            (r#"\"open\\\\", \"b\""#, r"open\\\\", r#"", \"b\""#),
        ] {
            let quote = quote_at(text.as_bytes(), 0).unwrap();
            let (range, end) = quoted(text.as_bytes(), quote);
            assert_eq!((&text[range], &text[end..]), (inside, after), "{text}");
        }
    }

    #[test]
    fn names_are_read_through_their_escapes() {
        for (name, expected) in [
            ("plain", "plain"),
            (r"pass\u0077ord", "password"),
            (r"pass\\u0077ord", "password"),
            ("api%5Fkey", "api_key"),
            ("user%5Bpassword%5d", "user[password]"),
            ("100%", "100%"),
            ("%zz%ff", "%zz%ff"),
            (r"\u00zz", "u00zz"),
            (r"a\ud83d", "a\u{fffd}"),
            (r"tail\", "tail"),
        ] {
            assert_eq!(decoded(name), expected, "{name}");
        }
    }
}
