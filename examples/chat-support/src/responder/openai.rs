//! An OpenAI-compatible endpoint.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

use super::completion::{Completion, CompletionRequest};
use super::{Delta, Deltas};
use crate::config::{ApiKey, OpenAiConfig};
use crate::error::{SetupError, UpstreamError};
use crate::message::Message;
use crate::sse::EventReader;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the endpoint may be silent, before its answer and within it.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer in one piece may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How much of the endpoint's message is repeated.
const LONGEST_MESSAGE: usize = 200;

#[derive(Debug)]
pub(crate) struct OpenAi {
    http: Client,
    url: Url,
    key: ApiKey,
    model: String,
}

impl OpenAi {
    pub(crate) fn new(config: &OpenAiConfig) -> Result<Self, SetupError> {
        if !config.api_key.is_plausible() {
            return Err(SetupError::ApiKey);
        }
        let url = completions_url(&config.base_url)?;
        let http = Client::builder()
            .user_agent(concat!(
                "honeyhive-chat-example/",
                env!("CARGO_PKG_VERSION")
            ))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            // The key goes where it was meant to go, and nowhere else.
            .redirect(Policy::none())
            .build()?;
        Ok(Self {
            http,
            url,
            key: config.api_key.clone(),
            model: config.model.clone(),
        })
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    pub(crate) async fn answer(&self, messages: &[Message]) -> Result<Delta, UpstreamError> {
        let body = CompletionRequest::whole(&self.model, messages);
        let answer = self.ask(&body, Some(ANSWER_TIMEOUT)).await?.bytes().await?;
        understood(&answer, &self.key)
    }

    pub(crate) async fn stream(&self, messages: &[Message]) -> Result<Deltas, UpstreamError> {
        let body = CompletionRequest::streamed(&self.model, messages);
        let reading = Reading {
            response: self.ask(&body, None).await?,
            events: EventReader::default(),
            key: self.key.clone(),
            finished: false,
        };
        Ok(stream::try_unfold(reading, Reading::next).boxed())
    }

    async fn ask(
        &self,
        body: &CompletionRequest<'_>,
        timeout: Option<Duration>,
    ) -> Result<Response, UpstreamError> {
        let request = self.http.post(self.url.clone());
        let request = request.bearer_auth(self.key.expose()).json(body);
        let request = match timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        };
        let response = request.send().await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response, &self.key).await)
    }
}

fn completions_url(base: &str) -> Result<Url, SetupError> {
    let url = format!("{}/chat/completions", base.trim().trim_end_matches('/'));
    let url: Url = url.parse().map_err(|_| SetupError::BaseUrl)?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(SetupError::BaseUrl),
    }
}

/// A stream of chunks that is being read.
#[derive(Debug)]
struct Reading {
    response: Response,
    events: EventReader,
    key: ApiKey,
    /// Whether the endpoint has said why it stopped.
    finished: bool,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Delta, Self)>, UpstreamError> {
        loop {
            match self.events.next_event() {
                Some(done) if done == "[DONE]" => return Ok(None),
                Some(chunk) => return self.read(&chunk).map(Some),
                None => {}
            }
            match self.response.chunk().await? {
                Some(bytes) => self.events.feed(&bytes)?,
                // Some endpoints forget `[DONE]`.
                None if self.finished => return Ok(None),
                None => return Err(UpstreamError::BrokenOff),
            }
        }
    }

    fn read(mut self, chunk: &str) -> Result<(Delta, Self), UpstreamError> {
        let delta = understood(chunk.as_bytes(), &self.key)?;
        self.finished |= delta.facts.finish_reason.is_some();
        Ok((delta, self))
    }
}

fn understood(json: &[u8], key: &ApiKey) -> Result<Delta, UpstreamError> {
    let completion = Completion::from_json(json)?;
    match completion.error() {
        Some(message) => Err(UpstreamError::Reported(repeatable(message, key))),
        None => Ok(completion.into_delta()),
    }
}

async fn refusal(response: Response, key: &ApiKey) -> UpstreamError {
    let status = response.status();
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return UpstreamError::KeyRefused(status.as_u16());
    }
    let body = response.text().await.unwrap_or_default();
    let reported = Completion::from_json(body.as_bytes()).ok();
    let message = reported
        .as_ref()
        .and_then(Completion::error)
        .unwrap_or(&body);
    UpstreamError::Refused {
        status: status.as_u16(),
        message: repeatable(message, key),
    }
}

/// What the endpoint says, as it may be shown: on one line, short, and without the key.
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
        let openai = endpoint("http://localhost:1234/v1/").unwrap();
        assert_eq!(
            openai.url.as_str(),
            "http://localhost:1234/v1/chat/completions"
        );
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
    fn what_is_repeated_is_short_and_without_the_key() {
        let said = format!("bad key sk-secret\n{}", "x".repeat(500));
        let repeated = repeatable(&said, &ApiKey::new("sk-secret"));
        assert!(repeated.starts_with("bad key <redacted> x"));
        assert_eq!(repeated.len(), LONGEST_MESSAGE);
    }
}
