//! Options of command lines and their values: `--password value`, and `"--password", "value"` in lists of arguments.

use super::pairs::LONGEST;
use super::quotes::{quote_at, quoted};
use super::text::{Masker, is_flag};

/// The name of an option, where a text is one that has its value behind it: `--password`, not `--password=x`.
pub(super) fn name_of(text: &str) -> Option<&str> {
    let name = text.strip_prefix("--")?;
    (name.len() <= LONGEST && name.bytes().all(is_name_byte)).then_some(name)
}

/// Whether an option of this name has a secret behind it, rather than the place of one, or no value at all.
pub(super) fn holds_secret(name: &str, hides: impl FnOnce(&str) -> bool) -> bool {
    const PLACES: [&str; 7] = ["dir", "env", "fd", "file", "path", "prompt", "stdin"];
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or_default();
    !name.starts_with("no-") && !PLACES.contains(&last) && hides(name)
}

/// Whether what stands behind an option is its value: no other option, and no word of a sentence about it.
pub(super) fn is_value(text: &str) -> bool {
    const WORDS: [&str; 24] = [
        "a", "an", "and", "are", "as", "at", "by", "for", "from", "has", "if", "in", "instead",
        "is", "must", "not", "of", "on", "or", "should", "the", "to", "was", "with",
    ];
    let begins = |symbol: char| "-<[({|".contains(symbol);
    !text.is_empty() && !text.starts_with(begins) && !is_flag(text) && !WORDS.contains(&text)
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// `--name value`, which begins here.
    pub(super) fn option(&mut self, at: usize) -> Option<usize> {
        let before = at.checked_sub(1).map(|before| self.bytes[before]);
        let begins = before.is_none_or(|it| !is_name_byte(it) || self.is_escape(at));
        if !begins || !self.bytes[at..].starts_with(b"--") {
            return None;
        }
        let rest = self.bytes[at + 2..].iter().take(LONGEST);
        let end = at + 2 + rest.take_while(|byte| is_name_byte(**byte)).count();
        if !holds_secret(&self.text[at + 2..end], &self.hides) {
            return None;
        }
        match quote_at(self.bytes, end) {
            Some(quote) => self.next_argument(quote + 1),
            None => self.argument(end),
        }
    }

    /// Whether the letter before this is the end of an escape: `\n--password`.
    fn is_escape(&self, at: usize) -> bool {
        self.text[..at].ends_with("\\n") || self.text[..at].ends_with("\\t")
    }

    /// `, "value"`, which begins here, in a list of arguments.
    fn next_argument(&mut self, at: usize) -> Option<usize> {
        let mut start = self.skip_blanks(at, true);
        if self.bytes.get(start) == Some(&b',') {
            start = self.skip_blanks(start + 1, true);
        }
        let (range, end) = quoted(self.bytes, quote_at(self.bytes, start)?);
        let is_value = is_value(&self.text[range.clone()]);
        is_value.then(|| self.mask(range, end)).flatten()
    }

    /// ` value`, which begins here, in a line.
    fn argument(&mut self, at: usize) -> Option<usize> {
        let start = self.skip_blanks(at, false);
        if start == at {
            return None;
        }
        if let Some(quote) = quote_at(self.bytes, start) {
            let (range, end) = quoted(self.bytes, quote);
            return self.mask(range, end);
        }
        let ends = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\"'`\\".contains(byte);
        let length = self.bytes[start..].iter().take_while(ends).count();
        let word = self.text[start..start + length].trim_end_matches([',', ';', ')', ']', '}']);
        let end = start + word.len();
        is_value(word).then(|| self.mask(start..end, end)).flatten()
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
    fn the_value_behind_an_option_is_masked() {
        for (text, expected) in [
            ("mysql --password x db", "mysql --password <redacted> db"),
            ("--db-password  p&x;", "--db-password  <redacted>;"),
            (
                "(run --api_key sk-1), --client-secret 'a b' c",
                "(run --api_key <redacted>), --client-secret '<redacted>' c",
            ),
            (r"a\n--password x\nb", r"a\n--password <redacted>\nb"),
            (
                r#"["run", "--password", "x", "--port", "1"]"#,
                r#"["run", "--password", "<redacted>", "--port", "1"]"#,
            ),
            (
                r#""mysql" "--password" "x\"y" "db""#,
                r#""mysql" "--password" "<redacted>" "db""#,
            ),
            (
                r#""[\"--password\", \"x\"]""#,
                r#""[\"--password\", \"<redacted>\"]""#,
            ),
            ("--password=x y", "--password=<redacted> y"),
        ] {
            assert_eq!(mask(text), expected);
            assert_eq!(mask(expected), expected, "what is masked stays");
        }
    }

    #[test]
    fn an_option_without_a_value_or_with_another_stays() {
        for text in [
            "docker login --password-stdin registry",
            "run --password-file /run/secrets/db --no-password build",
            "use --password to set it, or --password.",
            "run --password --user ada",
            "run --password <PASSWORD> --api-key [KEY]",
            r#"["--password", "--user", "ada"]"#,
            r#"required: "--password" is missing"#,
            "--max-tokens 7 --key C --token-count 3 --author ada",
            "a--password x",
            "--password",
            "--password ",
            "-- password x",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
