//! Options of command lines are found with their values: `--password value`, and `"--password", "value"` in lists of
//! arguments.

use std::ops::Range;

use super::arguments::{called, ends_escape, is_name_byte, may_begin};
use super::lines::line_of;
use super::pairs::LONGEST;
use super::quotes::{quote_at, quoted};
use super::text::{Masker, is_flag};

/// Returns whether an option of this name is followed by a secret, rather than by the path of one, or by no value at
/// all.
pub(super) fn holds_secret(name: &str, hides: impl FnOnce(&str) -> bool) -> bool {
    const PLACES: [&str; 7] = ["dir", "env", "fd", "file", "path", "prompt", "stdin"];
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or_default();
    !name.starts_with("no-") && !PLACES.contains(&last) && hides(name)
}

/// Returns whether the text behind an option is its value: no other option, and no word of a sentence about it.
pub(super) fn is_value(text: &str) -> bool {
    const WORDS: [&str; 24] = [
        "a", "an", "and", "are", "as", "at", "by", "for", "from", "has", "if", "in", "instead",
        "is", "must", "not", "of", "on", "or", "should", "the", "to", "was", "with",
    ];
    let begins = |symbol: char| "-<[({|".contains(symbol);
    !text.is_empty() && !text.starts_with(begins) && !is_flag(text) && !WORDS.contains(&text)
}

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// Masks `--name value`, which begins here.
    pub(super) fn option(&mut self, at: usize) -> Option<usize> {
        let before = at.checked_sub(1).map(|before| self.bytes[before]);
        let begins = before.is_none_or(|it| !is_name_byte(it) || ends_escape(&self.text[..at]));
        if !begins {
            return None;
        }
        if !self.bytes[at..].starts_with(b"--") {
            return self.short_option(at);
        }
        let rest = self.bytes[at + 2..].iter().take(LONGEST);
        let end = at + 2 + rest.take_while(|byte| is_name_byte(**byte)).count();
        let name = &self.text[at + 2..end];
        if !holds_secret(called(name), &self.hides) {
            let is_user = self.by_default && name.ends_with("user");
            return is_user.then(|| self.login(at, end)).flatten();
        }
        match quote_at(self.bytes, end) {
            Some(quote) => self.next_argument(quote + 1),
            None => self.argument(end),
        }
    }

    /// Masks `, "value"`, which begins here, in a list of arguments.
    fn next_argument(&mut self, at: usize) -> Option<usize> {
        let mut start = self.skip_blanks(at, true);
        if self.bytes.get(start) == Some(&b',') {
            start = self.skip_blanks(start + 1, true);
        }
        let (range, end) = quoted(self.bytes, quote_at(self.bytes, start)?);
        let is_value = is_value(&self.text[range.clone()]);
        is_value.then(|| self.mask(range, end)).flatten()
    }

    /// Masks ` value`, which begins here, in a line.
    fn argument(&mut self, at: usize) -> Option<usize> {
        let start = self.skip_blanks(at, false);
        if start == at {
            return None;
        }
        let (value, end) = self.argument_at(start);
        let is_value = quote_at(self.bytes, start).is_some() || is_value(&self.text[value.clone()]);
        is_value.then(|| self.mask(value, end)).flatten()
    }

    /// Returns the argument that begins here, quoted or not, and its end.
    fn argument_at(&self, start: usize) -> (Range<usize>, usize) {
        if let Some(quote) = quote_at(self.bytes, start) {
            return quoted(self.bytes, quote);
        }
        let ends = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\"'`\\".contains(byte);
        let length = self.bytes[start..].iter().take_while(ends).count();
        let word = self.text[start..start + length].trim_end_matches([',', ';', ')', ']', '}']);
        let end = start + word.len();
        (start..end, end)
    }

    /// Masks `-pvalue`, `-a value` or `-u user:value`, which begins here, of the programs that take a password like
    /// that.
    fn short_option(&mut self, at: usize) -> Option<usize> {
        let letter = *self.bytes.get(at + 1)?;
        if !self.by_default || !may_begin(self.bytes, at) {
            return None;
        }
        let name = self.program(at)?;
        let programs = PROGRAMS.iter().filter(|it| it.letter == letter);
        let mut programs = programs.filter(|it| name.starts_with(it.name));
        let holds = programs.next()?.holds;
        let behind = at + 2;
        match holds {
            Holds::UserAndPassword => self.login(at, behind),
            Holds::Password { may_be_apart } => {
                let start = self.behind_option(at, behind);
                if start > behind && !may_be_apart {
                    return None;
                }
                let (value, end) = self.argument_at(start);
                is_value(&self.text[value.clone()])
                    .then(|| self.mask(value, end))
                    .flatten()
            }
        }
    }

    /// Returns the program of the command that this is in: the last word that is called like one that is known.
    fn program(&self, at: usize) -> Option<&str> {
        let line = line_of(self.text, at);
        let command = line.rsplit([';', '|', '&']).next()?;
        let is_word = |symbol: char| symbol.is_ascii_alphanumeric() || "-_.".contains(symbol);
        let words = command.rsplit(|symbol| !is_word(symbol));
        // An escaped line end may precede the program: `\nmysql`.
        let mut words = words.take(MOST_WORDS).flat_map(|word| {
            let behind_escape = word.strip_prefix(['n', 'r', 't']);
            [Some(word), behind_escape].into_iter().flatten()
        });
        words.find(|word| PROGRAMS.iter().any(|it| word.starts_with(it.name)))
    }

    /// Returns the beginning of the argument behind an option that ends here: in a list, whose items are quoted, the
    /// next item.
    fn behind_option(&self, at: usize, end: usize) -> usize {
        let is_quoted = at > 0 && matches!(self.bytes[at - 1], b'"' | b'\'');
        let Some(quote) = quote_at(self.bytes, end).filter(|_| is_quoted) else {
            return self.skip_blanks(end, false);
        };
        let next = self.skip_blanks(quote + 1, true);
        let is_comma = self.bytes.get(next) == Some(&b',');
        self.skip_blanks(next + usize::from(is_comma), true)
    }

    /// Masks ` user:password`, which begins here, behind an option of a program that takes both as one.
    fn login(&mut self, at: usize, behind: usize) -> Option<usize> {
        self.program(at)?;
        let sign = usize::from(self.bytes.get(behind) == Some(&b'='));
        let start = self.behind_option(at, behind + sign);
        let (value, end) = self.argument_at(start);
        let (user, password) = self.text[value.clone()].split_once(':')?;
        let is_pair = !user.is_empty() && !password.is_empty() && !password.starts_with("//");
        is_pair.then(|| self.mask(value, end)).flatten()
    }
}

/// A program has an option of one letter that holds a password.
struct Program {
    /// The program's name begins with this word: `mysql` and `mysqldump`.
    name: &'static str,
    letter: u8,
    holds: Holds,
}

#[derive(Clone, Copy)]
enum Holds {
    Password {
        /// The flag tells whether a blank may precede the value.
        may_be_apart: bool,
    },
    UserAndPassword,
}

const PROGRAMS: [Program; 6] = [
    Program::new(
        "mysql",
        b'p',
        Holds::Password {
            may_be_apart: false,
        },
    ),
    Program::new(
        "mariadb",
        b'p',
        Holds::Password {
            may_be_apart: false,
        },
    ),
    Program::new("sshpass", b'p', Holds::Password { may_be_apart: true }),
    Program::new("redis-cli", b'a', Holds::Password { may_be_apart: true }),
    Program::new("ldap", b'w', Holds::Password { may_be_apart: true }),
    Program::new("curl", b'u', Holds::UserAndPassword),
];
/// So many words of a command, at the most, are searched for its program.
const MOST_WORDS: usize = 64;

impl Program {
    const fn new(name: &'static str, letter: u8, holds: Holds) -> Self {
        Self {
            name,
            letter,
            holds,
        }
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
            (
                "run --api-key x --token y --token=z --pass 'w'",
                "run --api-key <redacted> --token <redacted> --token=<redacted> --pass '<redacted>'",
            ),
            (
                r#"["run", "--token", "x"]"#,
                r#"["run", "--token", "<redacted>"]"#,
            ),
            (
                "/usr/bin/mysqldump -uroot -px db | mysql -p'x y' -h a",
                "/usr/bin/mysqldump -uroot -p<redacted> db | mysql -p'<redacted>' -h a",
            ),
            (
                "sshpass -p x ssh a; redis-cli -h b -a y; ldapsearch -w z",
                "sshpass -p <redacted> ssh a; redis-cli -h b -a <redacted>; ldapsearch -w <redacted>",
            ),
            (
                "curl -s -u ada:x 'https://h/' --proxy-user=b:y --user \"c:z\"",
                "curl -s -u <redacted> 'https://h/' --proxy-user=<redacted> --user \"<redacted>\"",
            ),
        ] {
            assert_eq!(mask(text), expected);
            assert_eq!(mask(expected), expected, "what is masked stays");
        }
    }

    #[test]
    fn many_options_and_statements_take_no_longer_for_their_number() {
        let piece = "ord -p for --user by 'a' password:a &b %3A%2F%2Fa";
        let many = piece.repeat(2_000);
        let masked = mask(&many);
        assert!(masked.len() > 1_000);
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
            "mysql -p db, mysql -u root -p",
            "curl -u ada h; docker run -u 1000:1000 -p 80:80 a",
            "mkdir -p a/b; ssh -p 22 h; a low-paid -a -p",
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
