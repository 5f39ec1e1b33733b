//! Members may be named by another member, in texts: `{"name": "authorization", "value": "x"}`, and the same as `Debug`
//! writes a struct.

use super::pairs::{LONGEST, is_name, is_value};
use super::quotes::{decoded, is_around, quote_at, quoted};
use super::text::Masker;

/// The other members are searched within this distance in bytes.
const AHEAD: usize = 1024;

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// Returns whether a member of this name, whose colon is here, is a value that a secret's name beside it hides. A
    /// member that holds such a name is noted.
    pub(super) fn is_named_secret(&mut self, name: &str, colon: usize) -> bool {
        if is_value(name) {
            return colon < self.named || self.names_ahead(colon).is_some();
        }
        if is_name(name) && self.says_secret(colon) {
            self.named = self.members_ahead(colon, |_| false);
        }
        false
    }

    /// Returns whether the text behind this colon is a name that hides a value. A name that was cut off may be any.
    fn says_secret(&self, colon: usize) -> bool {
        let start = self.skip_blanks(colon + 1, true);
        if start >= self.bytes.len() {
            return true;
        }
        let Some(quote) = quote_at(self.bytes, start) else {
            return false;
        };
        if self.is_of_text_around(quote, colon) {
            return true;
        }
        let (text, end) = quoted(self.bytes, quote);
        let is_cut = text.end == end;
        is_cut || (text.len() <= LONGEST && (self.hides)(&decoded(&self.text[text])))
    }

    /// Returns whether the quote ends the text that the member before this colon is in.
    fn is_of_text_around(&self, quote: usize, colon: usize) -> bool {
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        let of_name = self.bytes[..colon].iter().rposition(is_quote);
        of_name.is_some_and(|before| is_around(self.bytes, quote, before))
    }

    /// Returns the colon of a later member that gives a hiding name.
    fn names_ahead(&self, colon: usize) -> Option<usize> {
        let mut found = None;
        self.members_ahead(colon, |at| {
            let name = self.name_before(at).map(|(name, _)| &self.text[name]);
            if name.is_some_and(is_name) && self.says_secret(at) {
                found = Some(at);
            }
            found.is_some()
        });
        found
    }

    /// Visits the members behind this colon, colon by colon, until one is the last; returns where that was.
    fn members_ahead(&self, colon: usize, mut is_last: impl FnMut(usize) -> bool) -> usize {
        let end = self.bytes.len().min(colon + AHEAD);
        let mut depth = 0_usize;
        let mut at = colon + 1;
        while at < end {
            match self.bytes[at] {
                b'{' | b'[' | b'(' => depth += 1,
                b'}' | b']' | b')' if depth == 0 => return at,
                b'}' | b']' | b')' => depth -= 1,
                b':' if depth == 0 && is_last(at) => return at,
                b'"' | b'\'' => {
                    at = quoted(self.bytes, at).1.max(at + 1);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        end
    }
}
