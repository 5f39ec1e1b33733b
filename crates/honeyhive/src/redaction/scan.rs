//! The scanner reads JSON piece by piece as it is written, so that unmasked text leaves unchanged, and a key that comes
//! twice is checked twice.

use serde::de::IgnoredAny;

/// Returns the JSON in a text, without blanks around it; `None` where the text is something else.
pub(super) fn json_in(text: &str) -> Option<&str> {
    let is_around = |symbol: char| {
        symbol.is_whitespace() || symbol.is_control() || matches!(symbol, '\u{feff}' | '\u{200b}')
    };
    let json = text.trim_matches(is_around);
    json.starts_with(['{', '[', '"']).then_some(json)
}

/// Returns whether a text is one JSON value.
pub(super) fn is_valid(json: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(json).is_ok()
}

/// The scanner reads valid JSON, and writes the masked one.
pub(super) struct Scanner<'j> {
    json: &'j str,
    at: usize,
    copied: usize,
    out: String,
}

impl<'j> Scanner<'j> {
    pub(super) const fn new(json: &'j str) -> Self {
        Self {
            json,
            at: 0,
            copied: 0,
            out: String::new(),
        }
    }

    /// Returns the next byte that is no blank, not yet taken.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.json.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Returns another scanner that starts here.
    pub(super) fn fork(&self) -> Self {
        Self {
            at: self.at,
            ..Self::new(self.json)
        }
    }

    /// Returns whether the next text is an option of a command line.
    pub(super) fn begins_option(&mut self) -> bool {
        self.peek();
        self.json[self.at..].starts_with("\"-")
    }

    /// Takes one byte.
    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Takes a string, a number or a name, or with `whole` a whole value.
    pub(super) fn take(&mut self, whole: bool) -> (usize, &'j str) {
        self.peek();
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => self.skip_string(),
                Some(b'{' | b'[') if whole => {
                    depth += 1;
                    self.skip();
                }
                Some(b'}' | b']') if whole && depth > 0 => {
                    depth -= 1;
                    self.skip();
                }
                Some(b',' | b':') if whole && depth > 0 => self.skip(),
                Some(_) => self.skip_word(),
                None => break,
            }
            if depth == 0 {
                break;
            }
        }
        (start, &self.json[start..self.at])
    }

    fn skip_string(&mut self) {
        let bytes = self.json.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(bytes.len());
    }

    fn skip_word(&mut self) {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{}[],:\"".contains(byte);
        let rest = self.json.as_bytes()[self.at..].iter();
        // One byte at least is skipped, so that the loop ends.
        self.at += rest.take_while(|byte| !ends(byte)).count().max(1);
    }

    /// Writes this text instead of the value that was taken last, which began there.
    pub(super) fn replace(&mut self, start: usize, text: &str) {
        self.out.push_str(&self.json[self.copied..start]);
        self.out.push_str(text);
        self.copied = self.at;
    }

    /// Returns the JSON with its replacements; `None` where there were none.
    pub(super) fn finish(mut self) -> Option<String> {
        (self.copied > 0).then(|| {
            self.out.push_str(&self.json[self.copied..]);
            self.out
        })
    }
}
