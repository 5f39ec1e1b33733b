//! The masker finds the ends of names, and the ranges of their values, in a text.

use std::ops::Range;

use super::pairs::LONGEST as NAME;
use super::quotes::{is_around, is_prefix, opening, quote_at, quoted};
use super::text::{Masker, is_flag};

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// Returns the name that ends before this, quoted or not.
    pub(super) fn name_before(&self, at: usize) -> Option<(Range<usize>, bool)> {
        let blanks = self.bytes[..at]
            .iter()
            .rev()
            .take_while(|byte| **byte == b' ');
        let end = at - blanks.count();
        let last = end.checked_sub(1)?;
        if matches!(self.bytes[last], b'"' | b'\'') {
            let start = opening(self.bytes, last, NAME)? + 1;
            let backslashes = self.bytes[start..last].iter().rev();
            let end = last - backslashes.take_while(|byte| **byte == b'\\').count();
            return Some((start..end, true));
        }
        let is_name = |symbol: &char| symbol.is_alphanumeric() || "_-.%[]".contains(*symbol);
        let name = self.text[..end].chars().rev().take_while(is_name);
        let start = end - name.take(NAME).map(char::len_utf8).sum::<usize>();
        let start = start + self.escape_before(start, end);
        (start < end).then_some((start..end, false))
    }

    /// Returns how many bytes of a seeming name belong to an escape before it: `\npassword` is a line's end and a name.
    fn escape_before(&self, start: usize, end: usize) -> usize {
        let is_escaped = start
            .checked_sub(1)
            .is_some_and(|at| self.bytes[at] == b'\\');
        let length = match self.bytes[start..end] {
            [b'0' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'x', _, _, ..] => 3,
            [b'u', _, _, _, _, ..] => 5,
            _ => 0,
        };
        let at = start + length;
        if is_escaped && self.text.is_char_boundary(at) {
            length
        } else {
            0
        }
    }

    /// Masks the value that begins here. A value that is not quoted is one only where that is known.
    pub(super) fn value(&mut self, start: usize, is_bare: bool) -> Option<usize> {
        let start = start + usize::from(self.text[start..].starts_with("&"));
        if let Some(quote) = quote_at(self.bytes, start) {
            let (range, end) = quoted(self.bytes, quote);
            return self.mask(range, end);
        }
        let word = self.word(start);
        let rest = &self.text[word.end..];
        // `Debug` writes a structure, or a list of `serde_json`, like this.
        let is_called = !word.is_empty() && (rest.starts_with(" {") || rest.starts_with(" ["));
        let holds_more = rest.starts_with(['(', '[', '{']) || is_called;
        if holds_more && let Some(end) = self.balanced(word.end) {
            return self.mask(start..end, end);
        }
        if is_scheme(&self.text[word.clone()]) && rest.starts_with(' ') {
            let parameters = self.parameters(word.end + 1);
            let end = parameters.unwrap_or_else(|| self.word(word.end + 1).end);
            return self.mask(start..end, end);
        }
        let quote = quote_at(self.bytes, word.end).filter(|quote| {
            // A single quote may be an apostrophe.
            self.bytes[*quote] == b'"' || is_prefix(&self.text[word.clone()])
        });
        if let (Some(quote), false) = (quote, word.is_empty()) {
            // The text is one of bytes, or raw.
            let end = quoted(self.bytes, quote).1;
            let marks = self.text[word].matches('#').count();
            let closing = self.text[end..].bytes().take(marks);
            let end = end + closing.take_while(|byte| *byte == b'#').count();
            return self.mask(start..end, end);
        }
        if !is_bare || is_flag(&self.text[word.clone()]) {
            return None;
        }
        let end = word.end;
        self.mask(word, end)
    }

    /// Returns a value without blanks.
    pub(super) fn word(&self, start: usize) -> Range<usize> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"&;,\"'()[]{}<>\\".contains(byte);
        let length = self.bytes[start.min(self.bytes.len())..]
            .iter()
            .take_while(|byte| !ends(byte))
            .count();
        start..start + length
    }

    /// Returns the end of parentheses, brackets or braces that open here; the end of the text where they do not close,
    /// or of the quoted text that they are in.
    pub(super) fn balanced(&self, start: usize) -> Option<usize> {
        let mut depth = 0_usize;
        let mut at = start;
        let mut first = None;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                b'"' if is_around(self.bytes, at, *first.get_or_insert(at)) => return Some(at),
                b'"' => {
                    at = quoted(self.bytes, at).1;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        Some(self.bytes.len())
    }

    pub(super) fn skip_blanks(&self, start: usize, over_lines: bool) -> usize {
        let is_blank = |byte: &u8| *byte == b' ' || (over_lines && byte.is_ascii_whitespace());
        start
            + self.bytes[start..]
                .iter()
                .take_while(|byte| is_blank(byte))
                .count()
    }
}

/// Returns whether a word names the kind of the secret behind it.
fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "digest", "token"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}
