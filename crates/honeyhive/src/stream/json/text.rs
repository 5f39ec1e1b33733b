use std::borrow::Cow;
use std::sync::Arc;

use crate::model::limits;
use crate::stream::words;

/// The text is as it is written in JSON, without the quotes.
#[derive(Clone, Copy)]
pub(in crate::stream) struct Text<'a> {
    written: &'a str,
    is_plain: bool,
}

impl<'a> Text<'a> {
    #[inline]
    pub(super) const fn of(written: &'a str, is_plain: bool) -> Self {
        Self { written, is_plain }
    }

    /// Returns a text that has no escapes.
    pub(in crate::stream) const fn plain(written: &'a str) -> Self {
        Self {
            written,
            is_plain: true,
        }
    }

    /// Returns the text as it is written, which is its value wherever it is a word of an API.
    #[inline]
    pub(in crate::stream) const fn written(self) -> &'a str {
        self.written
    }

    /// Returns the text, if it has no escapes.
    #[inline]
    pub(in crate::stream) fn as_plain(self) -> Option<&'a str> {
        self.is_plain.then_some(self.written)
    }

    /// Returns the text without escapes: most texts have none, and are copied once.
    pub(in crate::stream) fn unescaped(self) -> Cow<'a, str> {
        if self.is_plain {
            return Cow::Borrowed(self.written);
        }
        let mut said = String::with_capacity(self.written.len());
        self.each(&mut |piece| said.push_str(piece));
        Cow::Owned(said)
    }

    /// Returns the same as a shared text, for words that occur often.
    pub(in crate::stream) fn shared(self, most: usize) -> Arc<str> {
        match self.as_plain() {
            Some(word) if word.len() <= most => words::shared(word),
            _ => self.bounded(most),
        }
    }

    /// Returns the text without escapes, cut with a mark where it is longer.
    pub(in crate::stream) fn bounded<T>(self, most: usize) -> T
    where
        T: From<String> + From<&'a str>,
    {
        match self.unescaped() {
            Cow::Borrowed(text) if text.len() <= most => text.into(),
            text => {
                let mut text = text.into_owned();
                limits::shorten(&mut text, most);
                text.into()
            }
        }
    }

    /// Returns the first half of a character that the text ends with.
    pub(in crate::stream) fn first_half(self) -> Option<u32> {
        if self.is_plain {
            return None;
        }
        let escape = self.written.len().checked_sub(r"\ud83d".len())?;
        let (before, escape) = self.written.split_at_checked(escape)?;
        let (first, _) = unit(escape.strip_prefix("\\u")?)?;
        // A backslash after an odd number of them is itself escaped.
        let backslashes = before.bytes().rev().take_while(|byte| *byte == b'\\');
        let is_half = (0xd800..=0xdbff).contains(&first) && backslashes.count() % 2 == 0;
        is_half.then_some(first)
    }

    /// Returns the character whose first half a text before has ended with, and this text after the second.
    pub(in crate::stream) fn second_half(self, first: u32) -> Option<(char, Self)> {
        let escape = self
            .written
            .strip_prefix("\\u")
            .filter(|_| !self.is_plain)?;
        let (second, written) = unit(escape)?;
        let whole = joined(first, second)?;
        Some((whole, Self { written, ..self }))
    }

    /// Passes the text on, piece by piece.
    pub(in crate::stream) fn each(self, put: &mut dyn FnMut(&str)) {
        let mut rest = self.written;
        if self.is_plain {
            if !rest.is_empty() {
                put(rest);
            }
            return;
        }
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            if at > 0 {
                put(&rest[..at]);
            }
            let (said, after) = unescape(&rest[at + 1..]);
            put(said.encode_utf8(&mut [0; 4]));
            rest = after;
        }
        if !rest.is_empty() {
            put(rest);
        }
    }
}

/// Returns the character of an escape, and the text after it; the backslash has been read.
fn unescape(text: &str) -> (char, &str) {
    let mut rest = text.chars();
    let said = match rest.next() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('u') => return unicode(rest.as_str()),
        Some(plain) => plain,
        None => char::REPLACEMENT_CHARACTER,
    };
    (said, rest.as_str())
}

/// Returns a character by number, where two surrogates are one.
fn unicode(text: &str) -> (char, &str) {
    let Some((first, rest)) = unit(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    let second = rest.strip_prefix("\\u").and_then(unit);
    let pair = second.and_then(|(second, after)| Some((joined(first, second)?, after)));
    pair.unwrap_or_else(|| {
        let alone = char::from_u32(first);
        (alone.unwrap_or(char::REPLACEMENT_CHARACTER), rest)
    })
}

/// Returns the character of two surrogates.
fn joined(first: u32, second: u32) -> Option<char> {
    let is_pair = (0xd800..=0xdbff).contains(&first) && (0xdc00..=0xdfff).contains(&second);
    is_pair.then(|| char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)))?
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = is_hex.then(|| u32::from_str_radix(digits, 16).ok())??;
    Some((code, rest))
}
