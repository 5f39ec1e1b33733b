//! Keys are found and checked here; an error tells what is wrong with one that cannot be used.

use std::borrow::Cow;

use super::environment::{Environment, Setting};
use super::variables::{API_KEY, DATA_PLANE_API_KEY, INGESTION_API_KEY, Variable};
use crate::error::BuildError;
use crate::model::no_value::is_no_value;
#[cfg(feature = "client")]
use crate::secret::KeyKind;
use crate::secret::{ApiKey, FINE_GRAINED, INGESTION};

/// The program has given these keys in code.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExplicitKeys {
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) ingestion_api_key: Option<ApiKey>,
    pub(crate) data_plane_api_key: Option<ApiKey>,
}

/// Calls go out with these keys, each on the routes of its kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    project: Option<ApiKey>,
    ingestion: Option<ApiKey>,
    data_plane: Option<ApiKey>,
}

impl Keys {
    pub(super) fn resolve(
        explicit: &ExplicitKeys,
        env: Environment<'_>,
    ) -> Result<Self, BuildError> {
        let typed = |explicit: &Option<ApiKey>, variable, prefix| {
            key(explicit.as_ref(), env, variable, Some(prefix))
        };
        Ok(Self {
            project: key(explicit.api_key.as_ref(), env, &API_KEY, None)?,
            ingestion: typed(&explicit.ingestion_api_key, &INGESTION_API_KEY, INGESTION)?,
            data_plane: typed(
                &explicit.data_plane_api_key,
                &DATA_PLANE_API_KEY,
                FINE_GRAINED,
            )?,
        })
    }

    /// Returns the key for session starts, session updates and spans: the ingestion key, else the project key.
    pub(crate) const fn write(&self) -> Option<&ApiKey> {
        match &self.ingestion {
            Some(key) => Some(key),
            None => self.project.as_ref(),
        }
    }

    /// Returns the setting that [`write`](Self::write) is from, whatever its value.
    #[cfg(feature = "client")]
    pub(crate) const fn writes_with(&self) -> KeyKind {
        match &self.ingestion {
            Some(_) => KeyKind::Ingestion,
            None => KeyKind::Project,
        }
    }

    #[cfg(test)]
    pub(crate) fn with_project_key(key: &str) -> Self {
        Self {
            project: Some(ApiKey::new(key.to_owned())),
            ..Self::default()
        }
    }

    /// Returns true where there is a key that the typed client has calls for.
    #[cfg(feature = "client")]
    pub(super) const fn can_ask(&self) -> bool {
        self.project.is_some() || self.data_plane.is_some()
    }

    /// Returns the key of one kind.
    #[cfg(feature = "client")]
    pub(crate) const fn of(&self, kind: KeyKind) -> Option<&ApiKey> {
        match kind {
            KeyKind::Project => self.project.as_ref(),
            KeyKind::Ingestion => self.ingestion.as_ref(),
            KeyKind::DataPlane => self.data_plane.as_ref(),
        }
    }

    /// Returns the text without any of these keys.
    pub(crate) fn out_of(&self, text: &str) -> String {
        let keys = [&self.project, &self.ingestion, &self.data_plane];
        let keys = keys.into_iter().flatten();
        keys.fold(text.to_owned(), |text, key| {
            text.replace(key.expose(), "<redacted>")
        })
    }
}

fn key(
    explicit: Option<&ApiKey>,
    env: Environment<'_>,
    variable: &'static Variable,
    prefix: Option<&str>,
) -> Result<Option<ApiKey>, BuildError> {
    let explicit = explicit
        .map(|key| key.expose().trim())
        .filter(|value| !value.is_empty());
    let found = match explicit {
        Some(value) => Some(Setting {
            value: value.to_owned(),
            name: variable.setter,
        }),
        None => env.find(variable)?,
    };
    let Some(Setting { value, name }) = found else {
        return Ok(None);
    };
    match problem(&value, prefix) {
        Some(problem) => Err(BuildError::InvalidKey {
            setting: Cow::Borrowed(name),
            problem,
        }),
        None => Ok(Some(ApiKey::new(value))),
    }
}

/// Returns the problem with a key that should begin with `prefix`, or with any, and what to write instead.
fn problem(value: &str, prefix: Option<&str>) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    if value.contains(['"', '\'', '`']) {
        return Some("it has quotes in it; write the key alone, without quotes around it");
    }
    if value.starts_with('$') {
        return Some("it is the name of a variable that nothing has put in; write the key itself");
    }
    if is_placeholder(&lower) {
        return Some("it is a placeholder; write the key that HoneyHive shows in its settings");
    }
    if lower.contains("api_key=") {
        return Some("it begins with the name of its variable; write the key alone");
    }
    if lower.contains("://") {
        return Some("it is a URL; write the key that HoneyHive shows in its settings");
    }
    if lower.starts_with("bearer ") {
        return Some("it begins with `Bearer`; write the key alone");
    }
    if value.contains(char::is_whitespace) {
        return Some("it has a blank or a line break in it; write the key alone, on one line");
    }
    if lower.starts_with("hh_fgcp_") {
        return Some(
            "it is a key of the control plane, which nothing here takes; write the key of the project",
        );
    }
    let is_foreign = |byte: u8| !byte.is_ascii_graphic() || b"\\,;#()[]{}<>%*".contains(&byte);
    if value.bytes().any(is_foreign) {
        return Some("it has characters that no key has; copy it again from HoneyHive");
    }
    let typed = |prefix: &&str| value.starts_with(*prefix);
    let prefix = prefix.or_else(|| [INGESTION, FINE_GRAINED].into_iter().find(typed));
    let has_shape = prefix.is_none_or(|prefix| has_typed_shape(value, prefix));
    (!has_shape).then_some(
        "it does not have the shape of a key of this kind (copy it again from HoneyHive)",
    )
}

/// Returns whether a key is a placeholder: from an example, from a template that nobody has filled in, or for no key at
/// all.
fn is_placeholder(lower: &str) -> bool {
    const WORDS: [&str; 7] = [
        "api-key", "api_key", "apikey", "changeme", "key", "secret", "todo",
    ];
    let core = lower.trim_matches(|symbol: char| !symbol.is_ascii_alphanumeric());
    let core = core
        .strip_prefix("my")
        .map_or(core, |rest| rest.trim_start_matches(['-', '_']));
    lower.starts_with(['<', '{', '[', '%', '('])
        || lower.starts_with("your")
        || lower.contains("...")
        || lower.bytes().all(|byte| b"*x".contains(&byte))
        || is_no_value(lower)
        || WORDS.contains(&core)
}

/// Returns whether a key is `prefix`, 24 letters or digits, `_`, 64 of `[A-Za-z0-9_-]` (the official SDK's check).
fn has_typed_shape(value: &str, prefix: &str) -> bool {
    let Some(rest) = value.strip_prefix(prefix) else {
        return false;
    };
    let (Some(id), Some(secret)) = (rest.get(..24), rest.get(25..)) else {
        return false;
    };
    rest.as_bytes()[24] == b'_'
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && secret.len() == 64
        && secret
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_key_is_said_in_words_of_what_to_write() {
        for (key, words) in [
            ("\"hh_k\"", "without quotes"),
            ("'hh_k'", "without quotes"),
            ("hh_k\"", "without quotes"),
            ("hh_k # the key of the team", "on one line"),
            ("hh_k\nHH_SOURCE=dev", "on one line"),
            ("hh_\u{a0}k", "on one line"),
            ("Bearer hh_k", "the key alone"),
            ("$HH_KEY", "the key itself"),
            ("${HH_KEY}", "the key itself"),
            ("<your-api-key>", "placeholder"),
            ("your-api-key", "placeholder"),
            ("null", "placeholder"),
            ("undefined", "placeholder"),
            ("***", "placeholder"),
            ("xxxxxxxx", "placeholder"),
            ("hh_...", "placeholder"),
            ("my-api-key", "placeholder"),
            ("changeme", "placeholder"),
            ("{{HH_API_KEY}}", "placeholder"),
            ("%HH_API_KEY%", "placeholder"),
            ("HH_API_KEY=hh_k", "name of its variable"),
            ("https://app.honeyhive.ai", "a URL"),
            ("hh_k\\n", "copy it again"),
            ("hh_k,", "copy it again"),
            ("hh_k\u{1}", "copy it again"),
            ("hh_schlüssel", "copy it again"),
            ("hh_ingst_x", "shape"),
            ("hh_fgcp_x", "control plane"),
        ] {
            let said = problem(key, None);
            assert!(
                said.is_some_and(|said| said.contains(words)),
                "{key}: {said:?}"
            );
        }
        assert_eq!(problem("hh_k.9+/=-_~", None), None);
    }
}
