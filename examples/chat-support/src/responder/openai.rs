//! async-openai asks an OpenAI-compatible endpoint.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use futures_util::stream::{self, BoxStream, StreamExt};
use honeyhive::{HoneyHiveTracer, json};
use reqwest::Url;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::Deltas;
use crate::config::{ApiKey, OpenAiConfig};
use crate::error::{SetupError, UpstreamError};
use crate::message::Message;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The endpoint may be silent this long, before its answer and within it.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// An error repeats at most this many characters of the endpoint's message.
const LONGEST_MESSAGE: usize = 200;

#[derive(Debug)]
pub(crate) struct OpenAi {
    client: Client<OpenAIConfig>,
    http: reqwest::Client,
    key: ApiKey,
    model: String,
}

impl OpenAi {
    pub(crate) fn new(config: &OpenAiConfig) -> Result<Self, SetupError> {
        if !config.api_key.is_plausible() {
            return Err(SetupError::ApiKey);
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!(
                "honeyhive-chat-example/",
                env!("CARGO_PKG_VERSION")
            ))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            // The key goes where it was meant to go, and nowhere else.
            .redirect(Policy::none())
            .build()?;
        let settings = OpenAIConfig::new()
            .with_api_key(config.api_key.expose())
            .with_api_base(base_url(&config.base_url)?);
        Ok(Self {
            client: Client::with_config(settings).with_http_client(http.clone()),
            http,
            key: config.api_key.clone(),
            model: config.model.clone(),
        })
    }

    /// Lets HoneyHive record each call: into the current model span, with tokens, reasons and errors.
    pub(crate) fn traced_by(mut self, tracer: &HoneyHiveTracer) -> Self {
        self.client = honeyhive_openai::instrument_with(self.client, self.http.clone(), tracer);
        self
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    pub(crate) async fn answer(&self, messages: &[Message]) -> Result<String, UpstreamError> {
        let request = json!({"model": self.model, "messages": messages, "stream": false});
        let answer: Result<Value, _> = self.client.chat().create_byot(request).await;
        let answer = understood(answer, &self.key)?;
        let text = answer["choices"][0]["message"]["content"].as_str();
        Ok(text.unwrap_or_default().to_owned())
    }

    pub(crate) async fn stream(&self, messages: &[Message]) -> Result<Deltas, UpstreamError> {
        let request = json!({
            "model": self.model,
            "messages": messages,
            "stream": true,
            // Token counts come in a chunk of their own, and only on request.
            "stream_options": {"include_usage": true},
        });
        let chunks = self.client.chat().create_stream_byot(request).await;
        let reading = Reading {
            chunks: chunks.map_err(|error| failure(error, &self.key))?,
            key: self.key.clone(),
            finished: false,
        };
        Ok(stream::try_unfold(reading, Reading::next).boxed())
    }
}

/// Returns the base without the slash at its end.
fn base_url(base: &str) -> Result<&str, SetupError> {
    let base = base.trim().trim_end_matches('/');
    let url: Url = base.parse().map_err(|_| SetupError::BaseUrl)?;
    match url.scheme() {
        "http" | "https" => Ok(base),
        _ => Err(SetupError::BaseUrl),
    }
}

/// `Reading` is a stream of chunks that is being read.
struct Reading {
    chunks: BoxStream<'static, Result<Value, OpenAIError>>,
    key: ApiKey,
    /// Whether the endpoint has said why it stopped.
    finished: bool,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(String, Self)>, UpstreamError> {
        while let Some(chunk) = self.chunks.next().await {
            let chunk = understood(chunk, &self.key)?;
            let choice = &chunk["choices"][0];
            self.finished |= choice["finish_reason"].is_string();
            match choice["delta"]["content"].as_str() {
                Some(text) if !text.is_empty() => return Ok(Some((text.to_owned(), self))),
                _ => {}
            }
        }
        match self.finished {
            true => Ok(None),
            false => Err(UpstreamError::BrokenOff),
        }
    }
}

/// Returns an answer, or a chunk of one, that is no error.
fn understood(answer: Result<Value, OpenAIError>, key: &ApiKey) -> Result<Value, UpstreamError> {
    let answer = answer.map_err(|error| failure(error, key))?;
    match answer.get("error").filter(|error| !error.is_null()) {
        Some(error) => {
            let message = error["message"].as_str().unwrap_or_default();
            Err(UpstreamError::Reported(repeatable(message, key)))
        }
        None => Ok(answer),
    }
}

fn failure(error: OpenAIError, key: &ApiKey) -> UpstreamError {
    match error {
        OpenAIError::Reqwest(error) => error.into(),
        OpenAIError::ApiError(refusal) => match refusal.status_code.as_u16() {
            status @ (401 | 403) => UpstreamError::KeyRefused(status),
            status => UpstreamError::Refused {
                status,
                message: repeatable(&refusal.api_error.message, key),
            },
        },
        OpenAIError::JSONDeserialize(error, _) => UpstreamError::Nonsense(error.to_string()),
        OpenAIError::StreamError(_) => UpstreamError::BrokenOff,
        other => UpstreamError::Nonsense(repeatable(&other.to_string(), key)),
    }
}

/// Returns the endpoint's message in a form that may be shown: on one line, short, and without the key.
fn repeatable(message: &str, key: &ApiKey) -> String {
    let message = key.removed_from(message);
    let words: Vec<_> = message.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base_url: &str) -> Result<OpenAi, SetupError> {
        endpoint_with_key(base_url, "sk-secret")
    }

    fn endpoint_with_key(base_url: &str, key: &str) -> Result<OpenAi, SetupError> {
        OpenAi::new(&OpenAiConfig {
            api_key: ApiKey::new(key),
            base_url: base_url.to_owned(),
            model: "m".to_owned(),
        })
    }

    #[test]
    fn a_base_url_may_end_in_a_slash() {
        let base = base_url("http://localhost:1234/v1/").unwrap();
        assert_eq!(base, "http://localhost:1234/v1");
    }

    #[test]
    fn https_works_without_further_set_up() {
        assert!(endpoint("https://api.openai.com/v1").is_ok());
    }

    #[test]
    fn a_base_url_that_is_none_is_refused_and_not_repeated() {
        for base_url in ["user:password@host", "ftp://password@host", "password"] {
            let error = endpoint(base_url).unwrap_err().to_string();
            assert!(!error.contains("password"), "{error}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_not_repeated() {
        for key in ["", "sk-se cret", "sk-\nsecret", "sk-geheïm"] {
            let error = endpoint_with_key("http://localhost", key).unwrap_err();
            assert_eq!(
                error.to_string(),
                "OPENAI_API_KEY has characters that no key has"
            );
        }
    }

    #[test]
    fn nothing_prints_the_key() {
        let endpoint = endpoint("http://localhost").unwrap();
        assert!(!format!("{endpoint:?}").contains("sk-secret"));
    }

    #[test]
    fn what_is_repeated_is_short_and_without_the_key() {
        let said = format!("bad key sk-secret\n{}", "x".repeat(500));
        let repeated = repeatable(&said, &ApiKey::new("sk-secret"));
        assert!(repeated.starts_with("bad key <redacted> x"));
        assert_eq!(repeated.len(), LONGEST_MESSAGE);
    }
}
