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
mod tests {
    use super::*;
    use crate::secret::is_secret_name;

    fn mask(text: &str, is_url: bool) -> String {
        masked(text, || is_url, true, is_secret_name).map_or_else(|| text.to_owned(), |it| it.0)
    }

    #[test]
    fn values_are_masked_by_their_names_in_every_form() {
        for (text, expected) in [
            (
                r#"Login { user: "ada", password: "x\"y", age: 7 }"#,
                r#"Login { user: "ada", password: "<redacted>", age: 7 }"#,
            ),
            (
                r#"Some(Login { password: Some("x"), api_key: Key { inner: ["a", "b}"] }, n: 1 })"#,
                "Some(Login { password: <redacted>, api_key: <redacted>, n: 1 })",
            ),
            (
                r#"Wrap { cred: Password { value: "x" }, n: 1 } ApiKey { inner: "x" }"#,
                "Wrap { cred: Password {<redacted>}, n: 1 } ApiKey {<redacted>}",
            ),
            (
                "Some(\n    Password {\n        value: \"x\",\n    },\n)",
                "Some(\n    Password {<redacted>},\n)",
            ),
            ("password = r#\"x y\"#", "password = <redacted>"),
            ("password: r\"x y\"", "password: <redacted>"),
            (
                "[db]\npassword = x # of the team\n",
                "[db]\npassword = <redacted> # of the team\n",
            ),
            (
                "x-api-key:abc\npassword:x",
                "x-api-key:<redacted>\npassword:<redacted>",
            ),
            (
                r#"{"Key": "Password", "Value": "x"}, Tag { Key: "a" }"#,
                r#"{"Key": "Password", "Value": "<redacted>"}, Tag { Key: "a" }"#,
            ),
            (
                "Pin { password: 1234, ok: true }",
                "Pin { password: <redacted>, ok: true }",
            ),
            (
                "Pin { password: None, secret: true }",
                "Pin { password: None, secret: true }",
            ),
            (
                r#"Request { method: GET, uri: /a?api_key=x&b=1, headers: {"authorization": "Bearer x", "accept": "*/*"} }"#,
                r#"Request { method: GET, uri: /a?api_key=<redacted>&b=1, headers: {"authorization": "<redacted>", "accept": "*/*"} }"#,
            ),
            (
                "HttpRequest HTTP/1.1 GET:/a\n  headers:\n    \"cookie\": \"a=b; c=d\"\n    \"host\": \"x\"\n",
                "HttpRequest HTTP/1.1 GET:/a\n  headers:\n    \"cookie\": \"<redacted>\"\n    \"host\": \"x\"\n",
            ),
            (
                r#""{\"password\": \"x\", \"user\": \"ada\"}""#,
                r#""{\"password\": \"<redacted>\", \"user\": \"ada\"}""#,
            ),
            (
                r#"[("authorization", "Bearer x"), ("a", "b")]"#,
                r#"[("authorization", "<redacted>"), ("a", "b")]"#,
            ),
            ("password=hunter2 user=ada", "password=<redacted> user=ada"),
            (
                "db_password = \"x y\"; a = 1",
                "db_password = \"<redacted>\"; a = 1",
            ),
            (
                "{\"password\" => \"x\"}",
                "{\"password\" => \"<redacted>\"}",
            ),
            (
                "{'password': 'x', 'n': 1}",
                "{'password': '<redacted>', 'n': 1}",
            ),
            (
                "curl -H 'Authorization: Bearer sk-1' x",
                "curl -H 'Authorization: <redacted>' x",
            ),
            (
                "Login {\n    password:\n        \"x\",\n}",
                "Login {\n    password:\n        \"<redacted>\",\n}",
            ),
            (
                r#"{"a": 1, "pass\u0077ord": "x… [cut"#,
                r#"{"a": 1, "pass\u0077ord": "<redacted>"#,
            ),
            (
                "error sending request for url (https://u:p@h/a?key=AIza&q=1)",
                "error sending request for url (https://<redacted>@h/a?key=<redacted>&q=1)",
            ),
            ("postgres://ada:x@db/main", "postgres://<redacted>@db/main"),
            ("mysql://root:p@ss@db, x", "mysql://<redacted>@db, x"),
            (
                "postgres://ada:a/b@db/main",
                "postgres://<redacted>@db/main",
            ),
            ("redis://:x@db:6379/0", "redis://<redacted>@db:6379/0"),
            (
                "git clone https://ghp_x@github.com/a",
                "git clone https://<redacted>@github.com/a",
            ),
            (
                "Server=db;User Id=sa;Password=x|y;Encrypt=true",
                "Server=db;User Id=sa;Password=<redacted>;Encrypt=true",
            ),
            (
                "/a?api%5Fkey=x&n=1&%70assword=y",
                "/a?api%5Fkey=<redacted>&n=1&%70assword=<redacted>",
            ),
            (
                "/login?next=https%3A%2F%2Fh%3Fkey%3Dx%26page%3D2&n=1",
                "/login?next=https%3A%2F%2Fh%3Fkey%3D<redacted>%26page%3D2&n=1",
            ),
            (
                "GET / HTTP/1.1\r\nx-api-key: x\r\nCookie: a=b; c=d\r\nAccept: */*\r\n",
                "GET / HTTP/1.1\r\nx-api-key: <redacted>\r\nCookie: <redacted>\r\nAccept: */*\r\n",
            ),
            (
                r"GET / HTTP/1.1\r\nAuthorization: ApiKey x\r\nAccept: */*",
                r"GET / HTTP/1.1\r\nAuthorization: <redacted>\r\nAccept: */*",
            ),
            (
                "it said Authorization: Bearer x, and no",
                "it said Authorization: <redacted>, and no",
            ),
            (
                "db:\n  - password: x y\n  - password: xy\n",
                "db:\n  - password: x y\n  - password: <redacted>\n",
            ),
            (
                r#"[["authorization","x"], ["a", "b"], ["cookie", "c"#,
                r#"[["authorization","<redacted>"], ["a", "b"], ["cookie", "<redacted>"#,
            ),
            (
                "[db]\npassword = x\nname = main",
                "[db]\npassword = <redacted>\nname = main",
            ),
            (
                r#"Some(ApiKey("x")), Password([1, 2]), Key(7)"#,
                "Some(ApiKey(<redacted>)), Password(<redacted>), Key(7)",
            ),
            (
                r#"Login { password: b"x\x00\"", api_key: r"y" }"#,
                "Login { password: <redacted>, api_key: <redacted> }",
            ),
            (
                r#"{Password: "x", "token_secret": ("y", 1)}"#,
                r#"{Password: "<redacted>", "token_secret": <redacted>}"#,
            ),
            (
                r#"("ada", "x", {"password": ["x", "y"]}, ("secret", Some("z")))"#,
                r#"("ada", "x", {"password": <redacted>}, ("secret", <redacted>))"#,
            ),
            (
                "401 for Bearer eyJhbGciOiJIUzI1NiJ9.e30.x-_, bearer 0123456789abcdef.",
                "401 for Bearer <redacted>, bearer <redacted>.",
            ),
            (
                "a: 1\nprivate_key: |\n  x\n\n  y z\nb: 1\n",
                "a: 1\nprivate_key: |\n  <redacted>\nb: 1\n",
            ),
            (
                "db:\n  password:\n    x\n  - secret: >-\n      x y\n    z: 1",
                "db:\n  password:\n    <redacted>\n  - secret: >-\n      <redacted>\n    z: 1",
            ),
            (
                "credentials:\n  user: ada\n  key: x\nsecrets:\n- a\n- b\nc: 1",
                "credentials:\n  <redacted>\nsecrets:\n<redacted>\nc: 1",
            ),
            (
                r#""a: 1\npassword: |\n  x\n  y\nb: 1""#,
                r#""a: 1\npassword: |\n  <redacted>\nb: 1""#,
            ),
            (
                r#"Text("[\"password: |\\n  x \\\"y\\\" C:\\\\new\\n  z\\nb: 1\"]")"#,
                r#"Text("[\"password: |\\n  <redacted>\\nb: 1\"]")"#,
            ),
            (
                r#"Text("[\"password:\\r\\n  x\\r\\n\"]")"#,
                r#"Text("[\"password:\\r\\n  <redacted>\\r\\n\"]")"#,
            ),
            ("password: 1234\n  x: 1\n", "password: <redacted>\n  x: 1\n"),
            (
                "password:=x, api_key==y",
                "password:=<redacted>, api_key==<redacted>",
            ),
            (
                "password := \"x\"\nAPI_KEY ?= x\n",
                "password := \"<redacted>\"\nAPI_KEY ?= <redacted>\n",
            ),
            (
                "password: !!str x\napi_key: &a !local y # z\n",
                "password: !!str <redacted>\napi_key: &a !local <redacted> # z\n",
            ),
            (
                "a:\n  password: !vault |\n    x\n    y\n  b: 1",
                "a:\n  password: !vault |\n    <redacted>\n  b: 1",
            ),
            (
                "ｐａｓｓｗｏｒｄ=x, {\"ａpi_ｋey\": \"x\"}",
                "ｐａｓｓｗｏｒｄ=<redacted>, {\"ａpi_ｋey\": \"<redacted>\"}",
            ),
            (
                "<user name=\"ada\" password=\"x\"/><add key=\"ApiKey\" value='x' />",
                "<user name=\"ada\" password=\"<redacted>\"/><add key=\"ApiKey\" value='<redacted>' />",
            ),
            (
                "<password value=\"x\"/><param value=\"x\" name=\"client_secret\">",
                "<password value=\"<redacted>\"/><param value=\"<redacted>\" name=\"client_secret\">",
            ),
            (
                "at //ada:x@db/main, or (//:x@db)",
                "at //<redacted>@db/main, or (//<redacted>@db)",
            ),
            (
                "[\"https%3A%2F%2Fada%3Ax\",\"a\"]",
                "[\"https%3A%2F%2F<redacted>\",\"a\"]",
            ),
            (
                "https%3A%2F%2Fada%3Ax%4 \"https%3A%2F%2Fada%3Ax%\" https%253A%252F%252Fada%253Ax%254",
                "https%3A%2F%2F<redacted>%4 \"https%3A%2F%2F<redacted>%\" https%253A%252F%252F<redacted>%254",
            ),
            (
                "/a?to=https%3A%2F%2Fada%3Ax%40h%2Fb%40c&n=1 and postgres%253a%252f%252fada%253Ax%2540db",
                "/a?to=https%3A%2F%2F<redacted>%40h%2Fb%40c&n=1 and postgres%253a%252f%252f<redacted>%2540db",
            ),
            (
                r#""\na: 1\npassword: !!str x\nb:\n  password: &a !local |\n    x\npassword:=x\npassword==x\n""#,
                r#""\na: 1\npassword: !!str <redacted>\nb:\n  password: &a !local |\n    <redacted>\npassword:=<redacted>\npassword==<redacted>\n""#,
            ),
            (
                r"password: x1\npassword==x\npassword: !!str x",
                r"password: <redacted>\npassword==<redacted>\npassword: !!str <redacted>",
            ),
            (
                "\u{feff}\na: 1\npassword: !!str x\nb:\n  password: &a !local |\n    x\npassword:=x\npassword==x\n",
                "\u{feff}\na: 1\npassword: !!str <redacted>\nb:\n  password: &a !local |\n    <redacted>\npassword:=<redacted>\npassword==<redacted>\n",
            ),
            (
                r#"{"":"\"a: 1\npassword: !!str x\nb: &a !local x\n\""}"#,
                r#"{"":"\"a: 1\npassword: !!str <redacted>\nb: &a !local x\n\""}"#,
            ),
            (
                r#""a\n//ada:x@db\u000a//ada:x@db""#,
                r#""a\n//<redacted>@db\u000a//<redacted>@db""#,
            ),
            ("SERVICE_KEY=x", "SERVICE_KEY=<redacted>"),
            (
                "api_key: Some(\"x y\") and api_key = Some(\"x\")",
                "api_key: <redacted> and api_key = <redacted>",
            ),
            (
                r#"Text("api_key: Some(\"x\"), password: Ok('x')")"#,
                r#"Text("api_key: <redacted>, password: <redacted>")"#,
            ),
            (
                "api_key: [\"x\"]\npassword: String::from(\"x\")",
                "api_key: <redacted>\npassword: <redacted>",
            ),
            (
                "api_key: &\"x\"\npassword: b'x y'",
                "api_key: &\"<redacted>\"\npassword: <redacted>",
            ),
            ("password = f\"x y\"", "password = <redacted>"),
            ("password = u'x'", "password = <redacted>"),
            ("password: x'y", "password: <redacted>"),
            (
                r#"Object {"n": Object {"api_key": Array [String("x"), Number(1)]}, "m": Null}"#,
                r#"Object {"n": Object {"api_key": <redacted>}, "m": Null}"#,
            ),
            (
                "password = \"\"\"\nx\n\"y\" z\"\"\"\nn = 1",
                "password = \"\"\"<redacted>\"\"\"\nn = 1",
            ),
            (
                "next=%252Fa%253Fpassword%253Dx%2526n%253D1",
                "next=%252Fa%253Fpassword%253D<redacted>%2526n%253D1",
            ),
            (
                r#"{"a": "https:\/\/ada:x@h\/b"#,
                r#"{"a": "https:\/\/<redacted>@h\/b"#,
            ),
            (
                r#""curl" "-u" "ada:x" "https://h" "#,
                r#""curl" "-u" "<redacted>" "https://h" "#,
            ),
            (
                r#"Command { args: ["redis-cli", "-a", "x", "get"] }"#,
                r#"Command { args: ["redis-cli", "-a", "<redacted>", "get"] }"#,
            ),
            (
                "DB_PASS=x smtpPass: \"x\"",
                "DB_PASS=<redacted> smtpPass: \"<redacted>\"",
            ),
            (
                r"a\napi_key=x\u0009api_key=y",
                r"a\napi_key=<redacted>\u0009api_key=<redacted>",
            ),
        ] {
            assert_eq!(mask(text, false), expected);
            assert_eq!(mask(expected, false), expected, "what is masked stays");
        }
    }

    #[test]
    fn a_text_with_secrets_in_it_is_not_the_name_of_what_stands_beside_it() {
        for text in [
            "<password>HIDDEN</password>",
            "run --password HIDDEN",
            "Bearer HIDDEN-1234567890",
            "password%3DHIDDEN",
            "password=HIDDEN",
            "Password(HIDDEN)",
            "password: HIDDEN",
        ] {
            for listed in [
                format!("[[{text:?}, \"\"]]"),
                format!("({text:?}, \"ada\")"),
            ] {
                assert!(!mask(&listed, false).contains("HIDDEN"), "{listed}");
            }
        }
    }

    #[test]
    fn a_name_that_was_cut_off_behind_its_value_may_be_any() {
        let whole = r#"[{"value": {"a": "HIDDEN"}, "n": 1, "key": "password"}]"#;
        let first = whole.find(r#" "password"#).unwrap();
        for length in first..whole.len() {
            let cut = &whole[..length];
            for text in [
                cut.to_owned(),
                format!("Text({cut:?})"),
                format!("{:?}", format!("Text({cut:?})")),
            ] {
                assert!(!mask(&text, false).contains("HIDDEN"), "{text}");
            }
        }
        for told in [
            r#"{"value": "ada", "key": "user"}"#,
            r#"{"value": "ada", "n"#,
        ] {
            assert_eq!(mask(told, false), told);
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        for text in [
            "my password: what was it?",
            "password: don't know",
            "a user_pass_rate=1 first_pass: \"x\"",
            "let password = read(\"a\");",
            "Password:\n  what was it?\n",
            "password:\nuser: ada\n",
            "password:\n  null\nsecret:",
            "the bearer acknowledges-everything, Bearer realm=\"example-1234567\"",
            "if password:\n    login(user)\n",
            "Password: what was it?",
            "Authorization: the right to do something",
            "    let secret = get();",
            "password = None\nsecret: false\n",
            "get_password(\"ada\") Secret(None) Token(7) Cookies()",
            "http://h:8080/a@b, https://h/@ada",
            "100%3D1, a%3Db",
            "{\"required\": [\"password\", \"email\"]}",
            "Field { name: \"password\", kind: \"text\" }, Field { name: \"user\", value: \"ada\" }",
            "std::collections::HashMap { len: 1 }",
            "struct Password { value: String } PasswordPolicy { least: 8 } class ApiKey { x: 1 }",
            "impl Password {\n    fn new() {}\n}",
            "jwt==1.7.1, secrets==2.*\nif password == other, a===b, secret!==x",
            "// ada@example.com: see a//b:c@d",
            "https%3A%2F%2Fh%2Fa%40b",
            "https%3A%2F%2F%5B%3A%3A1%5D%3A80, https%3A%2F%2Fh%3A8080 and /?to=https%3A%2F%2Fh%3A80%3Fa%3D1",
            "<input name=\"password\" type=\"password\"/><add key=\"user\" value=\"ada\"/>",
            "password_policy: strict, has_password=yes, cookie_consent=all, secret_santa: \"ada\"",
            "key=C major, tokens=7",
            "ssh://git@github.com/a?page_token=1",
            "session { key_points: [\"a\"] }",
            "if password == other { secret: }",
            "the author: \"Ada\", max_tokens: 7",
            "a password is a secret (\"secret\" is a word)",
            "",
            "=",
            ":",
            "(",
            "password",
            "password=",
            "password:",
            "{password:",
            "\"password\":",
        ] {
            assert_eq!(mask(text, false), text);
        }
    }

    #[test]
    fn urls_lose_who_asks_and_what_is_signed() {
        for (text, expected) in [
            ("https://ada@h/a", "https://<redacted>@h/a"),
            (
                "https://h/a?X-Amz-Signature=x&sig=y&page=1#z",
                "https://h/a?X-Amz-Signature=<redacted>&sig=<redacted>&page=1#z",
            ),
            ("key=x&q=tea", "key=<redacted>&q=tea"),
        ] {
            assert_eq!(mask(text, true), expected);
        }
    }
}
