//! Names and their values are found in texts that are no JSON: `Debug` output of structs and headers, assignments,
//! URLs.
//!
//! | Form | Where |
//! |---|---|
//! | `name: "value"`, `name: Some(Inner { .. })`, `name: 1` within braces | `Debug` of a struct |
//! | `"name": "value"`, `'name': 'value'`, `("name", "value")`, `[["name", "value"]]` | `Debug` of headers and maps, JSON within a text |
//! | `name=value`, `name = "value"`, `"name" => "value"` | assignments, queries of URLs |
//! | `name: Bearer value`, a line `name: value` or `name = value` | headers as they are written, settings |
//! | a line `name:` or `name: |` and the deeper lines below it | YAML |
//! | `Name("value")`, `Name { field: "value" }` | `Debug` of a type that is called after what it holds |
//! | `--name value`, `"--name", "value"`, `mysql -pvalue`, `curl -u user:value` | command lines |
//! | `<name>value</name>` | XML |
//! | `Bearer value` | headers whose name is not told |
//! | `Authorization: Digest a="b", response="value"` | headers with parameters |
//! | `-----BEGIN PRIVATE KEY-----` and what is below | PEM |
//! | `IDENTIFIED BY 'value'`, `PASSWORD 'value'` | SQL |
//! | `?url=https%3A%2F%2Fhost%3Fname%3Dvalue` | URLs within URLs |
//! | `scheme://user:password@host`, `//user:password@host`, `https%3A%2F%2Fuser%3Apassword%40host` | URLs |

use std::ops::Range;

use super::pairs::{LONGEST as NAME, is_value};
use super::quotes::{decoded, is_prefix, quote_at, quoted};
use super::{MARK, arguments, lines};
use crate::secret::is_secret_parameter;

/// The masker masks values in a text by their names.
pub(super) struct Masker<'t, H> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    /// The closure tells whether a value of this name is hidden, and whether flags are, too.
    pub(super) hides: H,
    /// The text is a URL, or the query of one.
    pub(super) is_url: bool,
    /// The flag tells whether parameters of URLs are hidden by the names that they have there.
    pub(super) by_default: bool,
    braces: usize,
    masked: Vec<Range<usize>>,
    /// The member `value` is hidden up to this end by the member beside it.
    pub(super) named: usize,
    /// The elements with these names have no end from here on.
    pub(super) unclosed: Vec<&'t str>,
}

/// Returns the masked text, and the number of masked values.
pub(super) fn masked<H>(
    text: &str,
    is_url: impl FnOnce() -> bool,
    by_default: bool,
    hides: H,
) -> Option<(String, u64)>
where
    H: Fn(&str) -> bool,
{
    let bytes = text.as_bytes();
    if (0..bytes.len()).all(|at| is_plain(bytes, at)) {
        return None;
    }
    let masker = Masker {
        text,
        bytes,
        hides,
        is_url: is_url(),
        by_default,
        braces: 0,
        masked: Vec::new(),
        named: 0,
        unclosed: Vec::new(),
    };
    masker.run()
}

/// Returns whether nothing here belongs to one of the forms, as in nearly all texts.
fn is_plain(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b':' | b'=' | b'(' | b'[' | b'%' | b'<' => false,
        b'-' => !bytes[..at].ends_with(b"-") && !arguments::may_begin(bytes, at),
        b' ' => !may_be_followed_by_secret(&bytes[..at]),
        _ => true,
    }
}

/// Returns whether a word ends here that may have a secret behind a blank: `Bearer`, `PASSWORD`, `BY`.
fn may_be_followed_by_secret(before: &[u8]) -> bool {
    match before {
        [.., b'e' | b'E', b'r' | b'R'] => before.ends_with(b"earer"),
        [.., b'r' | b'R', b'd' | b'D'] | [.., b' ', b'b' | b'B', b'y' | b'Y'] => true,
        _ => false,
    }
}

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    fn run(mut self) -> Option<(String, u64)> {
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let next = match byte {
                b':' if self.bytes[at..].starts_with(b"://") => self.user_info(at + 3),
                b':' if self.bytes[at..].starts_with(br":\/\/") => self.user_info(at + 5),
                b':' => self.pair(at),
                b'=' => self.assignment(at),
                b'%' => self
                    .encoded_assignment(at)
                    .or_else(|| self.encoded_user_info(at)),
                b'/' if self.begins_host(at) => self.user_info(at + 2),
                b'(' => self.tuple(at).or_else(|| self.held(at)),
                b'[' if self.is_in_list(at) => self.tuple(at),
                b'-' => self.private_key(at).or_else(|| self.option(at)),
                b' ' if may_be_followed_by_secret(&self.bytes[..at]) => self.statement(at),
                b'<' => self.element(at),
                b'B' | b'b' => self.bearer(at),
                b'{' => self.fields(at).or_else(|| {
                    self.braces += 1;
                    None
                }),
                b'}' => {
                    self.braces = self.braces.saturating_sub(1);
                    None
                }
                _ => None,
            };
            at = next.unwrap_or(at + 1);
        }
        self.finish()
    }

    fn finish(self) -> Option<(String, u64)> {
        if self.masked.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(self.text.len());
        let mut copied = 0;
        for range in &self.masked {
            out.push_str(&self.text[copied..range.start]);
            out.push_str(MARK);
            copied = range.end;
        }
        out.push_str(&self.text[copied..]);
        Some((out, self.masked.len() as u64))
    }

    /// Masks this range, unless it is empty, or masked already; returns where to go on.
    pub(super) fn mask(&mut self, range: Range<usize>, end: usize) -> Option<usize> {
        let value = &self.text[range.clone()];
        if !value.is_empty() && value != MARK {
            self.masked.push(range);
        }
        Some(end)
    }

    /// Masks `name: value`, of which the colon is here.
    fn pair(&mut self, colon: usize) -> Option<usize> {
        match self.bytes.get(colon + 1) {
            Some(b':') => return Some(colon + 2),
            // `name := value` is an assignment.
            Some(b'=') => return None,
            _ => {}
        }
        let (name, is_quoted) = self.name_before(colon)?;
        let is_within = is_quoted || self.braces > 0;
        let text = &self.text[name.clone()];
        let is_hidden =
            (self.hides)(&decoded(text)) || (is_within && self.is_named_secret(text, colon));
        if !is_hidden {
            return None;
        }
        if !is_quoted && let Some(end) = self.block(&name, colon + 1) {
            return Some(end);
        }
        let first = self.skip_blanks(colon + 1, false);
        if lines::is_header(text)
            && let Some(end) = self.credentials(first)
        {
            return self.mask(first..end, end);
        }
        let is_value_next = |symbol: char| symbol == ' ' || symbol.is_alphanumeric();
        if !is_quoted && self.braces == 0 && self.text[colon + 1..].starts_with(is_value_next) {
            let masked = self.line(name, lines::behind_tags(self.text, first));
            if masked.is_some() {
                return masked;
            }
        }
        let start = self.skip_blanks(colon + 1, true);
        // A statement of a program follows a colon that ends its line.
        let is_next = self.skip_blanks(colon + 1, false) < start;
        if is_next && !is_within && quote_at(self.bytes, start).is_none() {
            return None;
        }
        let start = match is_quoted {
            true => start,
            false => lines::behind_tags(self.text, start),
        };
        self.value(start, is_within)
    }

    /// Masks the lines below a name, whose colon is here.
    fn block(&mut self, name: &Range<usize>, colon: usize) -> Option<usize> {
        let block = lines::block(self.text, name, colon, self.braces > 0)?;
        if is_flag(&self.text[block.clone()]) {
            return None;
        }
        let end = block.end;
        self.mask(block, end)
    }

    /// Masks the value that begins here, of this name, where both are a line.
    fn line(&mut self, name: Range<usize>, start: usize) -> Option<usize> {
        if quote_at(self.bytes, start).is_some() || !lines::begins_line(self.text, name.start) {
            return None;
        }
        let value = lines::value(self.text, start, &self.text[name])?;
        let text = &self.text[value.clone()];
        // A quoted text after a bracket or a prefix is masked by the rule for quotes.
        let before = text.trim_end_matches('\\');
        let opens = before.ends_with(['(', '[', '&']) || is_prefix(before);
        if is_flag(text) || (opens && quote_at(self.bytes, value.end).is_some()) {
            return None;
        }
        let end = value.end;
        self.mask(value, end)
    }

    /// Masks `name=value`, of which the sign is here.
    fn assignment(&mut self, sign: usize) -> Option<usize> {
        let next = self.bytes.get(sign + 1).copied();
        if next == Some(b'=') {
            return self.comparison(sign);
        }
        let is_arrow = next == Some(b'>');
        // `:=`, `+=` and `?=` are signs of two.
        let before = self.bytes[..sign].last();
        let is_of_two = before.is_some_and(|before| b":+?".contains(before));
        let (name, is_quoted) = self.name_before(sign - usize::from(is_of_two))?;
        let in_url = match name.start.checked_sub(1) {
            Some(before) => matches!(self.bytes[before], b'?' | b'&'),
            None => self.is_url,
        };
        let decoded = decoded(&self.text[name.clone()]);
        let is_parameter = in_url && self.by_default && is_secret_parameter(&decoded);
        let called = arguments::name_of(&decoded).unwrap_or(&decoded);
        let is_hidden = is_parameter
            || (self.hides)(called)
            || (is_value(&decoded) && self.is_named_by_its_tag(name.start));
        if !is_hidden {
            return None;
        }
        let after = sign + 1 + usize::from(is_arrow);
        let start = self.skip_blanks(after, false);
        if start > after || is_arrow || is_quoted {
            // A text behind blanks is a value if it is quoted, or ends a line.
            let Some(quote) = quote_at(self.bytes, start) else {
                return if is_arrow {
                    None
                } else {
                    self.line(name, start).or_else(|| self.raw(start))
                };
            };
            let (range, end) = quoted(self.bytes, quote);
            return self.mask(range, end);
        }
        self.value(start, true)
    }

    /// Masks `name==value`, of which the first sign is here: a parameter for some programs, where no blanks stand
    /// around. A number with dots is a version.
    fn comparison(&mut self, sign: usize) -> Option<usize> {
        let end = sign + 2;
        let is_dense = |at: Option<&u8>| at.is_some_and(|byte| !b" =!<>".contains(byte));
        let before = sign.checked_sub(1).map(|at| &self.bytes[at]);
        if !is_dense(before) || !is_dense(self.bytes.get(end)) {
            return Some(end);
        }
        let (name, _) = self.name_before(sign)?;
        if !(self.hides)(&decoded(&self.text[name])) {
            return Some(end);
        }
        let value = &self.text[self.word(end)];
        let is_version = value.contains('.') && value.bytes().all(is_of_version);
        if is_version {
            return Some(end);
        }
        self.value(end, true).or(Some(end))
    }

    /// Masks `r"value"` and its like, or `Some("value")`, which begins here.
    fn raw(&mut self, start: usize) -> Option<usize> {
        let word = self.word(start);
        let rest = &self.bytes[word.end..];
        let is_raw = is_prefix(&self.text[word]) && quote_at(rest, 0).is_some();
        let is_type = self.bytes[start..]
            .first()
            .is_some_and(u8::is_ascii_uppercase);
        let is_held = is_type && rest.starts_with(b"(") && quote_at(rest, 1).is_some();
        (is_raw || is_held)
            .then(|| self.value(start, false))
            .flatten()
    }

    /// Masks `("name", "value")`, of which the parenthesis is here.
    fn tuple(&mut self, open: usize) -> Option<usize> {
        let quote = quote_at(self.bytes, open + 1)?;
        let (name, end) = quoted(self.bytes, quote);
        if name.len() > NAME || self.bytes.get(end) != Some(&b',') {
            return None;
        }
        let name = decoded(&self.text[name]);
        // A text that contains one of the forms is no name, and is scanned itself.
        let is_name = !name.contains(['"', '\'', '{'])
            && (0..name.len()).all(|at| is_plain(name.as_bytes(), at));
        if !is_name || !(self.hides)(&name) {
            return None;
        }
        let start = self.skip_blanks(end + 1, true);
        self.value(start, false)
    }

    /// Masks `Bearer value`, which begins here, where the value looks like a token rather than a word.
    fn bearer(&mut self, at: usize) -> Option<usize> {
        const SCHEME: &str = "bearer ";
        /// No token is shorter.
        const SHORTEST: usize = 16;
        let scheme = self.bytes.get(at..at + SCHEME.len())?;
        let is_in_word = at > 0 && self.bytes[at - 1].is_ascii_alphanumeric();
        if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) || is_in_word || !(self.hides)("bearer")
        {
            return None;
        }
        let start = self.skip_blanks(at + SCHEME.len(), false);
        let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        let token = self.bytes[start..].iter().take_while(is_token).count();
        let token = self.text[start..start + token].trim_end_matches('.');
        let is_value = token.len() >= SHORTEST
            && token.bytes().any(|byte| byte.is_ascii_digit())
            && token.bytes().any(|byte| byte.is_ascii_alphabetic());
        let end = start + token.len();
        is_value.then(|| self.mask(start..end, end)).flatten()
    }

    /// Returns whether a list begins here that is an item of another: `[["name", "value"]]` rather than a list of
    /// names.
    fn is_in_list(&self, open: usize) -> bool {
        let before = self.bytes[..open].iter().rev();
        let mut before = before.skip_while(|byte| byte.is_ascii_whitespace() || **byte == b',');
        matches!(before.next(), Some(b'[' | b']'))
    }
}

const fn is_of_version(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.' || byte == b'*'
}

/// Returns whether a value is a mere flag, which holds no secret.
pub(super) fn is_flag(word: &str) -> bool {
    ["true", "false", "null", "None", "nil"].contains(&word)
}

#[cfg(test)]
mod tests;
