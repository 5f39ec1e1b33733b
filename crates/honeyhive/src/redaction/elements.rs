//! Elements of XML and HTML are found within texts: `<password>value</password>`, `<add key="password"
//! value="value"/>`.

use std::ops::Range;

use super::pairs::{LONGEST, is_name};
use super::text::Masker;
use crate::model::limits;

/// A tag has this many bytes at the most, with its attributes.
const TAG: usize = 1024;
/// The text is searched to its end for this many unclosed tags: generic types look like tags and are never closed.
const UNCLOSED: usize = 16;

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// Masks `<name>value</name>`, of which the first bracket is here.
    pub(super) fn element(&mut self, open: usize) -> Option<usize> {
        let rest = self.bytes[open + 1..].iter().take(LONGEST);
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(byte);
        let name = open + 1..open + 1 + rest.take_while(is_name).count();
        let local = self.text[name.clone()].rsplit(':').next()?;
        if local.is_empty() || !(self.hides)(local) {
            return None;
        }
        let tag = self.bytes[name.end..].iter().take(TAG);
        let start = name.end + tag.take_while(|byte| **byte != b'>').count();
        if self.bytes.get(start) != Some(&b'>') || self.bytes[start - 1] == b'/' {
            return None;
        }
        let value = self.inside(start + 1, name)?;
        let end = value.end;
        self.mask(value, end)
    }

    /// Returns whether the `value` at this place is an attribute of a tag that names it: `<add key="password"
    /// value="x"/>`, `<password value="x"/>`.
    pub(super) fn is_named_by_its_tag(&self, at: usize) -> bool {
        let is_end = |byte: &u8| matches!(byte, b'<' | b'>');
        let before = self.bytes[..at].iter().rev().take(TAG).position(is_end);
        let Some(open) = before.map(|back| at - back - 1) else {
            return false;
        };
        if self.bytes[open] != b'<' {
            return false;
        }
        let end = self.bytes[at..].iter().take(TAG).position(is_end);
        let tag = &self.text[open + 1..end.map_or(self.text.len(), |end| at + end)];
        let element = tag.split([' ', '\n', '\t', '/']).next().unwrap_or_default();
        if (self.hides)(element) {
            return true;
        }
        let names = tag.split_ascii_whitespace().filter_map(|attribute| {
            let (name, value) = attribute.split_once('=')?;
            let is_quote = |symbol: char| matches!(symbol, '"' | '\'' | '\\' | '/');
            is_name(name).then(|| value.trim_matches(is_quote))
        });
        names.into_iter().any(|name| (self.hides)(name))
    }

    /// Returns the contents of an element of this name, from here on.
    fn inside(&mut self, start: usize, name: Range<usize>) -> Option<Range<usize>> {
        let start = self.skip_blanks(start, true);
        let rest = &self.text[start..];
        if rest.starts_with("<![CDATA[") {
            let length = rest.find("]]>").map_or(rest.len(), |end| end + 3);
            return Some(start..start + length);
        }
        let Some(next) = rest.find('<') else {
            return self.cut_off(start, name.start - 1);
        };
        let end = if self.closes(start + next, &name) {
            start + next
        } else {
            self.closed(start + next, name)?
        };
        Some(start..start + self.text[start..end].trim_end().len())
    }

    /// Returns the value of an element that was cut off within it, unlike a sentence about `<password>`.
    fn cut_off(&self, start: usize, open: usize) -> Option<Range<usize>> {
        if self.text.trim_start().starts_with('<') || limits::mark_of(self.text).is_some() {
            return Some(start..self.text.len());
        }
        if !self.text[..open].trim_end().ends_with('>') {
            return None;
        }
        let value = &self.text[start..];
        let value = &value[..value.find('"').unwrap_or(value.len())];
        Some(start..start + value.trim_end_matches('\\').len())
    }

    /// Returns whether an element of this name ends here, as far as the text goes, or one that is quoted in it.
    fn closes(&self, at: usize, name: &Range<usize>) -> bool {
        let rest = &self.bytes[at + 1..];
        let quote = rest.iter().take(LONGEST + 2).position(|byte| *byte == b'"');
        let rest = quote.map_or(rest, |quote| &rest[..quote]);
        let escapes = rest.iter().rev().take_while(|byte| **byte == b'\\');
        let rest = &rest[..rest.len() - escapes.count()];
        let Some(rest) = rest
            .strip_prefix(b"/")
            .or_else(|| rest.strip_prefix(b"\\/"))
        else {
            return rest.is_empty();
        };
        let length = rest.len().min(name.len());
        rest[..length].eq_ignore_ascii_case(&self.bytes[name.start..name.start + length])
    }

    /// Returns the end of an element that holds others.
    fn closed(&mut self, start: usize, name: Range<usize>) -> Option<usize> {
        let name_text = &self.text[name.clone()];
        if self.unclosed.len() == UNCLOSED || self.unclosed.contains(&name_text) {
            return None;
        }
        let mut ends = self.text[start..].match_indices('<');
        let end = ends.find(|(at, _)| self.closes(start + at, &name));
        if end.is_none() {
            self.unclosed.push(name_text);
        }
        end.map(|(at, _)| start + at)
    }
}

#[cfg(test)]
mod tests {
    use crate::redaction::text::masked;
    use crate::secret::is_secret_name;

    fn mask(text: &str) -> String {
        masked(text, || false, true, is_secret_name).map_or_else(|| text.to_owned(), |it| it.0)
    }

    #[test]
    fn what_an_element_holds_is_masked_by_its_name() {
        for (text, expected) in [
            (
                "<user>ada</user><password>x y</password>",
                "<user>ada</user><password><redacted></password>",
            ),
            (
                "it sent <ns:apiKey type=\"a\">\n  x\n</ns:apiKey>!",
                "it sent <ns:apiKey type=\"a\">\n  <redacted>\n</ns:apiKey>!",
            ),
            (
                "<credentials><user>ada</user><key>x</key></credentials> ok",
                "<credentials><redacted></credentials> ok",
            ),
            (
                "<secret><![CDATA[<x>]]></secret>",
                "<secret><redacted></secret>",
            ),
            (
                r#""<password>x\"y<\/password>""#,
                r#""<password><redacted><\/password>""#,
            ),
            ("<a><password>x</pass", "<a><password><redacted></pass"),
            ("<a><password>x y", "<a><password><redacted>"),
            (
                r#"Text("[\"<a><password>x y\"]")"#,
                r#"Text("[\"<a><password><redacted>\"]")"#,
            ),
            (
                r#"Text("[\"<a><password><b>x</b></pass\", \"a\"]")"#,
                r#"Text("[\"<a><password><redacted></pass\", \"a\"]")"#,
            ),
            (
                r#"Text("[\"\\\"<a><password><b>x</b></pass\\\"\"]")"#,
                r#"Text("[\"\\\"<a><password><redacted></pass\\\"\"]")"#,
            ),
        ] {
            assert_eq!(mask(text), expected);
            assert_eq!(mask(expected), expected, "what is masked stays");
        }
    }

    #[test]
    fn what_only_looks_like_an_element_stays() {
        for text in [
            "Vec<Password>::new(), Option<Secret> and Vec<u8>",
            "use <password> to log in",
            "<b>use <password> to log in</b>",
            "<password/><password></password><author>ada</author>",
            "<token>7</token>",
            "a < password > b",
            "<password",
            "<",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn elements_without_an_end_take_no_longer_for_their_number() {
        let many: String = (0..20_000)
            .map(|number| format!("<password{number}><a>"))
            .collect();
        assert_eq!(mask(&many), many);
    }
}
