//! Types may be named after their contents, in `Debug` texts: `ApiKey("x")`, `Password { value: "x" }`.

use std::ops::Range;

use super::pairs::LONGEST;
use super::quotes::quote_at;
use super::text::{Masker, is_flag};

/// These words before a type show a declaration, which holds no value.
const DECLARED: [&str; 8] = [
    "class",
    "enum",
    "impl",
    "interface",
    "mod",
    "struct",
    "trait",
    "type",
];

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// Masks `Name("value")`, of which the parenthesis is here.
    pub(super) fn held(&mut self, open: usize) -> Option<usize> {
        let name = self.type_before(open)?;
        if !(self.hides)(&self.text[name]) {
            return None;
        }
        let end = self.balanced(open)?;
        let inside = open + 1..end - usize::from(self.text[..end].ends_with(')'));
        let is_value = quote_at(self.bytes, inside.start).is_some() || {
            let inside = &self.text[inside.clone()];
            !is_flag(inside) && !inside.starts_with(' ')
        };
        is_value.then(|| self.mask(inside, end)).flatten()
    }

    /// Masks `Name { field: "value" }`, of which the brace is here. A type that is called after something of what it
    /// holds, such as `PasswordPolicy`, has names for its fields.
    pub(super) fn fields(&mut self, open: usize) -> Option<usize> {
        let end = self.text[..open].strip_suffix(' ')?.len();
        let name = self.type_before(end)?;
        let text = &self.text[name.clone()];
        let last = text.rfind(char::is_uppercase).unwrap_or_default();
        if !(self.hides)(text) || (self.hides)(&text[..last]) {
            return None;
        }
        let before = self.text[..name.start].trim_end();
        let first = self.skip_blanks(open + 1, true);
        let is_field = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let field = self.bytes[first..].iter().take_while(is_field).count();
        let is_debug = field > 0 && self.bytes[first + field..].starts_with(b": ");
        if !is_debug || DECLARED.iter().any(|word| before.ends_with(word)) {
            return None;
        }
        let end = self.balanced(open)?;
        let inside = open + 1..end - usize::from(self.text[..end].ends_with('}'));
        self.mask(inside, end)
    }

    /// Returns the name of a type that ends before this.
    fn type_before(&self, end: usize) -> Option<Range<usize>> {
        let name = self.bytes[..end].iter().rev();
        let start = end - name.take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let is_type = self.bytes.get(start).is_some_and(u8::is_ascii_uppercase);
        (is_type && start < end && end - start <= LONGEST).then_some(start..end)
    }
}
