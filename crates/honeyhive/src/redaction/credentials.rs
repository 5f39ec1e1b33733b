//! Credentials are known by their form: private keys as PEM, and the value of an `Authorization` header.

use std::ops::Range;

use super::lines::line_of;
use super::quotes::{quote_at, quoted};
use super::text::Masker;

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// Finds a `-----BEGIN PRIVATE KEY-----` that begins here, and its lines, to the end of the text where it was cut
    /// off.
    pub(super) fn private_key(&mut self, at: usize) -> Option<usize> {
        /// A label has this many bytes at the most: `OPENSSH PRIVATE KEY`, `PGP PRIVATE KEY BLOCK`.
        const LABEL: usize = 64;
        let label = self.text[at..].strip_prefix("-----BEGIN ")?;
        let length = label.find("-----").filter(|length| *length <= LABEL)?;
        if !label[..length].contains("PRIVATE KEY") || !(self.hides)("private_key") {
            return None;
        }
        let start = self.text.len() - label.len() + length + "-----".len();
        let rest = &self.text[start..];
        let end = start
            + match (rest.find("-----END "), rest.find(['"', '\''])) {
                (Some(end), quote) if quote.is_none_or(|quote| end < quote) => end,
                (_, Some(quote)) => quote,
                _ => rest.len(),
            };
        // Line ends stay, those that are escaped among them.
        let key = &self.text[start..end];
        let inside = without_line_ends(key);
        let start = start + inside.start;
        self.mask(start..start + inside.len(), end)
    }

    /// Returns the end of an `Authorization` header's value from here on: a scheme and its parameters, of which the
    /// response or the signature may be the last.
    pub(super) fn credentials(&self, start: usize) -> Option<usize> {
        let is_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
        let scheme = self.bytes[start..].iter().take_while(is_scheme).count();
        if scheme == 0 || self.bytes.get(start + scheme) != Some(&b' ') {
            return None;
        }
        self.parameters(start + scheme + 1)
    }

    /// Returns the end of `name="value", name=value`, which begins here.
    pub(super) fn parameters(&self, start: usize) -> Option<usize> {
        let mut end = None;
        let mut at = start;
        loop {
            at = self.skip_blanks(at, false);
            let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_*".contains(byte);
            let name = self.bytes[at..].iter().take_while(is_name).count();
            let sign = self.skip_blanks(at + name, false);
            if name == 0 || self.bytes.get(sign) != Some(&b'=') {
                return end;
            }
            let value = self.skip_blanks(sign + 1, false);
            at = match quote_at(self.bytes, value) {
                Some(quote) if self.bytes[quote] == b'"' => quoted(self.bytes, quote).1,
                _ => self.token(value),
            };
            end = Some(at);
            let comma = self.skip_blanks(at, false);
            if self.bytes.get(comma) != Some(&b',') {
                return end;
            }
            at = comma + 1;
        }
    }

    /// Returns the end of a parameter that is not quoted, which begins here: a host and a path may be in it.
    fn token(&self, start: usize) -> usize {
        let is_token = |byte: &&u8| !byte.is_ascii_whitespace() && !b",\"'\\)]}<>".contains(byte);
        start + self.bytes[start..].iter().take_while(is_token).count()
    }

    /// Masks ` 'value'` or ` value` behind the words of a statement in SQL, of which the blank is here: `PASSWORD
    /// 'value'`, `IDENTIFIED BY 'value'`.
    pub(super) fn statement(&mut self, blank: usize) -> Option<usize> {
        let start = self.skip_blanks(blank, false);
        let quote = quote_at(self.bytes, start);
        let before = line_of(self.text, blank);
        let word = before.rsplit([' ', '\t', '(', ';']).next()?;
        let is_shouted = word.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_hidden = if word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("as") {
            is_in(before, "identified ")
        } else {
            let value_is_clear = quote.is_some();
            let is_secret = value_is_clear && (self.hides)(word);
            is_secret && (is_shouted || is_in(before, "with ") || is_in(before, "encrypted "))
        };
        if !is_hidden {
            return None;
        }
        if let Some(quote) = quote {
            let (range, end) = quoted(self.bytes, quote);
            return self.mask(range, end);
        }
        let value = self.word(start);
        let is_word = is_shouted && self.text[value.clone()] != *"PASSWORD";
        is_word
            .then(|| self.mask(value.clone(), value.end))
            .flatten()
    }
}

/// Returns whether a line contains this text, in any case.
fn is_in(line: &str, words: &str) -> bool {
    let words = words.as_bytes();
    let mut windows = line.as_bytes().windows(words.len());
    windows.any(|window| window.eq_ignore_ascii_case(words))
}

/// Returns the text without line ends and blanks around it, escaped ones included.
fn without_line_ends(text: &str) -> Range<usize> {
    let mut start = 0;
    let mut end = text.len();
    loop {
        let inside = &text[start..end];
        let blanks = inside.len() - inside.trim_start().len();
        let escapes = inside.bytes().take_while(|byte| *byte == b'\\').count();
        let is_end = escapes > 0 && inside[escapes..].starts_with(['n', 'r']);
        match (blanks, is_end) {
            (0, false) => break,
            (0, true) => start += escapes + 1,
            (blanks, _) => start += blanks,
        }
    }
    loop {
        let inside = text[start..end].trim_end();
        let escaped = inside.strip_suffix(['n', 'r']);
        let escaped = escaped.filter(|it| it.ends_with('\\'));
        let shorter = escaped.unwrap_or(inside).trim_end_matches('\\');
        if start + shorter.len() == end {
            return start..end;
        }
        end = start + shorter.len();
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
    fn credentials_are_masked_by_what_they_look_like() {
        for (text, expected) in [
            (
                "got -----BEGIN RSA PRIVATE KEY-----\nMIIE\nxy+/=\n-----END RSA PRIVATE KEY-----\n",
                "got -----BEGIN RSA PRIVATE KEY-----\n<redacted>\n-----END RSA PRIVATE KEY-----\n",
            ),
            (
                r#"Text("-----BEGIN PRIVATE KEY-----\r\nMII\nE\r\n-----END PRIVATE KEY-----\n")"#,
                r#"Text("-----BEGIN PRIVATE KEY-----\r\n<redacted>\r\n-----END PRIVATE KEY-----\n")"#,
            ),
            (
                r#""-----BEGIN OPENSSH PRIVATE KEY-----\\nMII\\nE", "ada""#,
                r#""-----BEGIN OPENSSH PRIVATE KEY-----\\n<redacted>", "ada""#,
            ),
            (
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nMII",
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n<redacted>",
            ),
            (
                "Authorization: Digest username=\"ada\", uri=\"/a,b\", response=\"6629f\", qop=auth\nA: b",
                "Authorization: <redacted>\nA: b",
            ),
            (
                "it said Authorization: Digest username=\"ada\", response=\"6629f\" and no",
                "it said Authorization: <redacted> and no",
            ),
            (
                r#"curl -H 'Authorization: Digest username="ada", response="6629f"' x"#,
                "curl -H 'Authorization: <redacted>' x",
            ),
            (
                r#"Text("Proxy-Authorization: Digest username=\"ada\", response=\"6629f\"")"#,
                r#"Text("Proxy-Authorization: <redacted>")"#,
            ),
            (
                "sent Authorization: AWS4-HMAC-SHA256 Credential=AK/1/s3, SignedHeaders=host;date, Signature=fe5f80 to it",
                "sent Authorization: <redacted> to it",
            ),
            (
                r#"Request { authorization: Digest username="ada", response="6629f" }"#,
                "Request { authorization: <redacted> }",
            ),
            (
                "CREATE USER ada IDENTIFIED BY 'x y';",
                "CREATE USER ada IDENTIFIED BY '<redacted>';",
            ),
            (
                "create user ada identified with sha256 by \"x\"",
                "create user ada identified with sha256 by \"<redacted>\"",
            ),
            (
                "ALTER USER ada IDENTIFIED BY x1;",
                "ALTER USER ada IDENTIFIED BY <redacted>;",
            ),
            (
                "GRANT ALL ON a.* TO b IDENTIFIED BY PASSWORD '*4ACF'",
                "GRANT ALL ON a.* TO b IDENTIFIED BY PASSWORD '<redacted>'",
            ),
            (
                "create role ada with login password 'x'",
                "create role ada with login password '<redacted>'",
            ),
            (
                r#"Query("ALTER ROLE ada ENCRYPTED PASSWORD 'x'")"#,
                r#"Query("ALTER ROLE ada ENCRYPTED PASSWORD '<redacted>'")"#,
            ),
            (
                "SET PASSWORD FOR ada = PASSWORD('x')",
                "SET PASSWORD FOR ada = PASSWORD(<redacted>)",
            ),
        ] {
            assert_eq!(mask(text), expected);
            assert_eq!(mask(expected), expected, "what is masked stays");
        }
    }

    #[test]
    fn what_only_looks_like_credentials_stays() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----",
            "a file that starts with -----BEGIN ",
            "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"",
            "a user identified by the name of ada",
            "the password 'must not be empty'",
            "Authorization: the right to do something",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
