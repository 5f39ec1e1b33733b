//! [`ApiKey`] is a key that cannot be printed.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use http::HeaderValue;

use crate::model::words::words;

/// Ingestion keys and fine-grained keys have prefixes.
pub(crate) const INGESTION: &str = "hh_ingst_";
pub(crate) const FINE_GRAINED: &str = "hh_fgdp_";

/// HoneyHive has several kinds of keys. None stands in for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(feature = "client"),
    allow(unreachable_pub, reason = "told by the typed client")
)]
#[non_exhaustive]
pub enum KeyKind {
    /// The project key (`HH_API_KEY`) is a project's classic key, for all routes that name no project.
    Project,
    /// The ingestion key (`HH_INGESTION_API_KEY`, `hh_ingst_…`) is for sessions and spans that are written, and nothing
    /// else.
    Ingestion,
    /// The data plane key (`HH_DATA_PLANE_API_KEY`, `hh_fgdp_…`) is for routes that name their project, and nothing
    /// else.
    DataPlane,
}

#[cfg(feature = "client")]
impl KeyKind {
    /// Returns the variable that holds such a key.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Project => "HH_API_KEY",
            Self::Ingestion => "HH_INGESTION_API_KEY",
            Self::DataPlane => "HH_DATA_PLANE_API_KEY",
        }
    }
}

/// The kind displays as `project key`, `ingestion key` or `data plane key`.
impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Project => "project key",
            Self::Ingestion => "ingestion key",
            Self::DataPlane => "data plane key",
        })
    }
}

/// A HoneyHive key has no `Display`, and its `Debug` shows nothing of the value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) const fn new(value: String) -> Self {
        Self(value)
    }

    /// Returns the kind of the key, which is no secret.
    pub(crate) fn kind(&self) -> KeyKind {
        if self.0.starts_with(INGESTION) {
            KeyKind::Ingestion
        } else if self.0.starts_with(FINE_GRAINED) {
            KeyKind::DataPlane
        } else {
            KeyKind::Project
        }
    }

    /// Returns the value of an `Authorization` header; `None` for a text that cannot be a key.
    pub(crate) fn bearer(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns the key itself, to check it and to keep it out of texts.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(<redacted>)")
    }
}

/// Returns whether a value of this name is a secret: `api_key`, `http.request.header.authorization`, `dbPassword`.
///
/// Whole words count, so `author` and `gen_ai.usage.total_tokens` are no secrets; nor is a bare `token`, which language
/// models yield. A path is a secret where one of its names is one: words of two names make no pair.
pub(crate) fn is_secret_name(path: &str) -> bool {
    let path = narrow(path);
    let mut rest = Some(path.as_ref());
    while let Some(path) = rest {
        let (name, after) = first_of(path);
        if is_secret(seen(name)) {
            return true;
        }
        rest = after;
    }
    false
}

/// Returns the first name of a path, and the path behind it. The loop is its own, since `split` takes twice as long to
/// begin and names are short.
fn first_of(path: &str) -> (&str, Option<&str>) {
    match path.bytes().position(|byte| byte == b'.') {
        Some(dot) => (&path[..dot], Some(&path[dot + 1..])),
        None => (path, None),
    }
}

/// Returns a name without invisible characters before it, such as a byte order mark.
fn seen(name: &str) -> &str {
    match name.as_bytes() {
        [first, ..] if first.is_ascii_alphanumeric() => name,
        _ => name.trim_start_matches(|symbol: char| !symbol.is_alphanumeric()),
    }
}

/// A name that begins with one of these words asks whether there is a secret.
const ASKS: [&str; 5] = ["has", "is", "needs", "requires", "supports"];
/// These words behind a secret's word make the name one about it: `password_policy`, `cookie_consent`, `secret_santa`.
const ABOUT: [&str; 18] = [
    "age",
    "changed",
    "consent",
    "created",
    "expired",
    "expires",
    "expiry",
    "length",
    "policies",
    "policy",
    "required",
    "requirements",
    "rotated",
    "rotation",
    "rules",
    "santa",
    "strength",
    "updated",
];

/// Returns a name with letters of full width as those of ASCII, which people see them as.
pub(crate) fn narrow(name: &str) -> Cow<'_, str> {
    const WIDE: RangeInclusive<char> = '\u{ff01}'..='\u{ff5e}';
    if name.is_ascii() || !name.contains(|symbol| WIDE.contains(&symbol)) {
        return Cow::Borrowed(name);
    }
    let narrow = |symbol: char| match symbol {
        // Full-width characters are offset from ASCII by a constant.
        wide if WIDE.contains(&wide) => {
            char::from_u32(u32::from(wide) - 0xff01 + 0x21).unwrap_or(wide)
        }
        other => other,
    };
    Cow::Owned(name.chars().map(narrow).collect())
}

fn is_secret(name: &str) -> bool {
    let all = words(name);
    let mut words = all.clone();
    let mut before = "";
    while let Some(word) = words.next() {
        let word = word.trim_end_matches(|symbol: char| symbol.is_ascii_digit());
        let is_other = || {
            words
                .clone()
                .next()
                .is_some_and(|next| is_other(word, next))
        };
        let is_about = || {
            words
                .clone()
                .next()
                .is_some_and(|next| is_one_of(&ABOUT, next))
        };
        if (is_secret_word(word) && !is_about()) || (is_secret_pair(before, word) && !is_other()) {
            let first = all.clone().next();
            return !first.is_some_and(|first| is_one_of(&ASKS, first));
        }
        before = word;
    }
    false
}

/// Returns whether a parameter of a URL is a secret: by its name, or as a usual parameter of signed URLs.
pub(crate) fn is_secret_parameter(name: &str) -> bool {
    let name = &*narrow(name);
    const WHOLE: [&str; 8] = [
        "auth",
        "key",
        "keys",
        "pass",
        "sas",
        "sessionid",
        "sid",
        "token",
    ];
    const WORDS: [&str; 2] = ["sig", "signature"];
    is_secret_name(name)
        || is_one_of(&WHOLE, name)
        || words(name).any(|word| is_one_of(&WORDS, word))
}

fn is_secret_word(word: &str) -> bool {
    const WORDS: [&str; 12] = [
        "authorization",
        "bearer",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "creds",
        "jwt",
        "jwts",
        "passphrase",
        "passwords",
        "secrets",
    ];
    is_one_of(&WORDS, word) || has_secret_end(word.as_bytes())
}

/// Returns whether a name that is written as one word ends in a secret's name: `apikey`, `clientsecret`, `DBPASSWORD`.
fn has_secret_end(word: &[u8]) -> bool {
    // The last letter selects the candidates, since every word of every name is checked.
    let ends: &[&[u8]] = match word {
        [.., b'd' | b'D'] => &[b"passwd", b"password", b"pwd"],
        [.., b'e' | b'E'] => &[b"sessioncookie"],
        [.., b'n' | b'N'] => &[b"accesstoken", b"authtoken", b"refreshtoken"],
        [.., b't' | b'T'] => &[b"secret"],
        [.., b'y' | b'Y'] => &[b"accesskey", b"apikey", b"privatekey", b"secretkey"],
        _ => &[],
    };
    ends.iter().any(|end| {
        let start = word.len().checked_sub(end.len());
        start.is_some_and(|start| word[start..].eq_ignore_ascii_case(end))
    })
}

/// Returns whether a pair of words is a secret: keys and tokens are where they are of a kind that opens something.
/// Several tokens are an amount, several keys are not.
fn is_secret_pair(kind: &str, word: &str) -> bool {
    const KEYS: [&str; 17] = [
        "access",
        "account",
        "admin",
        "api",
        "auth",
        "deploy",
        "encryption",
        "hmac",
        "license",
        "master",
        "private",
        "secret",
        "service",
        "session",
        "signing",
        "ssh",
        "subscription",
    ];
    const TOKENS: [&str; 17] = [
        "access", "api", "auth", "bearer", "bot", "csrf", "github", "gitlab", "hf", "id", "oauth",
        "personal", "refresh", "security", "session", "slack", "xsrf",
    ];
    const PASSES: [&str; 16] = [
        "admin", "auth", "db", "ftp", "imap", "ldap", "mongo", "mysql", "pg", "postgres", "proxy",
        "redis", "root", "smtp", "user", "wifi",
    ];
    (is_one_of(&["word", "words"], word) && is_one_of(&["pass"], kind))
        || (is_one_of(&["pass"], word) && is_one_of(&PASSES, kind))
        || (is_one_of(&["key", "keys"], word) && is_one_of(&KEYS, kind))
        || (is_one_of(&["token"], word) && is_one_of(&TOKENS, kind))
}

/// Returns whether the word after a pair shows that the name holds no secret: an amount (`session_token_count`), or a
/// thing named after a key (`session_key_points`, `private_key_findings`).
fn is_other(word: &str, next: &str) -> bool {
    /// These plurals after `key` still name the parts of a real key.
    const PARTS: [&str; 16] = [
        "access", "address", "alias", "bits", "bytes", "chars", "contents", "details", "headers",
        "keys", "options", "pairs", "params", "parts", "settings", "values",
    ];
    let is_amount = is_one_of(&["budget", "count", "limit", "per", "total", "usage"], next);
    let is_key = is_one_of(&["key"], word);
    // The pass is of something else: `user_pass_rate`.
    let is_pass = is_one_of(&["pass"], word);
    let is_plural = matches!(next.as_bytes(), [.., last, b's' | b'S'] if !b"sSuUiI".contains(last));
    is_amount
        || is_pass
        || (is_key && is_plural && !is_secret_word(next) && !is_one_of(&PARTS, next))
}

fn is_one_of(list: &[&str], word: &str) -> bool {
    list.iter().any(|one| word.eq_ignore_ascii_case(one))
}

#[cfg(test)]
mod tests;
