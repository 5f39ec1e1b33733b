//! The settings come from the environment.

use std::fmt;

/// `Config` has the settings of an example.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on (`CHAT_ADDR`).
    pub address: String,
    /// The model endpoint, where there is a key for one.
    pub openai: Option<OpenAiConfig>,
}

/// An `OpenAiConfig` names an OpenAI-compatible endpoint.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// The key (`OPENAI_API_KEY`).
    pub api_key: ApiKey,
    /// The address up to and without `/chat/completions` (`OPENAI_BASE_URL`).
    pub base_url: String,
    /// The model (`OPENAI_MODEL`).
    pub model: String,
}

impl Config {
    /// Returns the settings of this process.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    /// Returns the settings that `variable` knows by name. A blank one counts as unset.
    #[must_use]
    pub fn from_vars(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        let or = |name, default: &str| set(name).unwrap_or_else(|| default.to_owned());
        Self {
            address: or("CHAT_ADDR", "127.0.0.1:3000"),
            openai: set("OPENAI_API_KEY").map(|key| OpenAiConfig {
                api_key: ApiKey::new(key.trim()),
                base_url: or("OPENAI_BASE_URL", "https://api.openai.com/v1"),
                model: or("OPENAI_MODEL", "gpt-4o-mini"),
            }),
        }
    }
}

/// An `ApiKey` is a key that nothing prints.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Wraps the key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the key can go into a header.
    pub(crate) fn is_plausible(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// Returns an endpoint's message without the key in it.
    pub(crate) fn removed_from(&self, text: &str) -> String {
        text.replace(&self.0, "<redacted>")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_environment_means_the_built_in_responder_on_port_3000() {
        let config = Config::from_vars(|_| None);
        assert_eq!(config.address, "127.0.0.1:3000");
        assert!(config.openai.is_none());
    }

    #[test]
    fn a_key_alone_means_openai_itself() {
        let config =
            Config::from_vars(|name| (name == "OPENAI_API_KEY").then(|| "sk-1\n".to_owned()));
        let openai = config.openai.unwrap();
        assert_eq!(openai.api_key.expose(), "sk-1");
        assert_eq!(openai.base_url, "https://api.openai.com/v1");
        assert_eq!(openai.model, "gpt-4o-mini");
    }

    #[test]
    fn a_blank_variable_counts_as_unset_and_a_key_is_never_printed() {
        assert!(Config::from_vars(|_| Some(" ".to_owned())).openai.is_none());
        let config = Config::from_vars(|_| Some("http://secret".to_owned()));
        assert!(!format!("{:?}", config.openai.unwrap().api_key).contains("secret"));
    }
}
