//! [`ApiKey`]: a key that cannot be printed.

use std::fmt;

/// A HoneyHive key. It has no `Display`, and its `Debug` shows nothing of the value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the `Authorization` header and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(<redacted>)")
    }
}

/// Whether what is called this is a secret: `api_key`, `http.request.header.authorization`, `dbPassword`.
///
/// Whole words count, so `author` and `gen_ai.usage.total_tokens` are none; nor is a bare `token`, which
/// language models yield.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let mut before = "";
    name.split(|symbol: char| !symbol.is_ascii_alphanumeric())
        .any(|word| {
            is_secret_word(word) || is_secret_pair(std::mem::replace(&mut before, word), word)
        })
}

fn is_secret_word(word: &str) -> bool {
    const WORDS: [&str; 9] = [
        "authorization",
        "bearer",
        "cookie",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "secret",
    ];
    /// As in `apiKey`, `clientSecret` and `dbPassword`.
    const ENDS: [&str; 6] = [
        "apikey",
        "accesskey",
        "accesstoken",
        "privatekey",
        "password",
        "secret",
    ];
    let ends = |end: &&str| {
        let start = word.len().checked_sub(end.len());
        start.is_some_and(|start| word.as_bytes()[start..].eq_ignore_ascii_case(end.as_bytes()))
    };
    WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret)) || ENDS.iter().any(ends)
}

fn is_secret_pair(first: &str, second: &str) -> bool {
    const KEYS: [&str; 5] = ["access", "api", "private", "secret", "session"];
    const TOKENS: [&str; 7] = [
        "access", "api", "auth", "bearer", "id", "refresh", "session",
    ];
    let first_is_of = |list: &[&str]| list.iter().any(|word| first.eq_ignore_ascii_case(word));
    (second.eq_ignore_ascii_case("key") && first_is_of(&KEYS))
        || (second.eq_ignore_ascii_case("token") && first_is_of(&TOKENS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_whole_words() {
        for name in [
            "api_key",
            "http.request.header.authorization",
            "http.request.header.x-api-key",
            "http.request.header.cookie",
            "password_raw",
            "honeyhive_inputs.dbPassword",
            "honeyhive_config.openai.apiKey",
            "AWS_SECRET_ACCESS_KEY",
            "refresh_token",
            "client.secret",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn what_only_sounds_like_a_secret_is_none() {
        for name in [
            "author",
            "token",
            "honeyhive_outputs.result.token",
            "gen_ai.usage.total_tokens",
            "llm.token_count.prompt",
            "honeyhive.session_id",
            "honeyhive_inputs.key",
            "secretary",
            "max_tokens",
            "keyboard",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
