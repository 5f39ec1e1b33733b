//! A model judges answers.

use serde::Deserialize;
use serde_json::{Value, json};

/// A `Judge` asks a model how good an answer is.
#[derive(Debug, Clone)]
pub struct Judge {
    http: reqwest::Client,
    url: String,
}

/// A `Judgement` is the model's.
#[derive(Debug, Deserialize)]
pub struct Judgement {
    /// The score, from 0 to 1.
    pub score: f64,
    /// The reason.
    pub why: String,
}

/// The error says why there is no judgement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The model did not answer.
    #[error("the judge did not answer")]
    Http(#[from] reqwest::Error),
    /// The model said something else.
    #[error("the judge said no JSON")]
    Json(#[from] serde_json::Error),
}

impl Judge {
    /// Returns a judge at an API that speaks as OpenAI's does.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.into(),
        }
    }

    /// Judges an answer beside the right one.
    ///
    /// # Errors
    ///
    /// The model does not answer, or answers with something else than JSON.
    pub async fn judge(&self, said: &str, right: &str) -> Result<Judgement, JudgeError> {
        let content = json!({"said": said, "right": right}).to_string();
        let body = json!({"model": "judge", "messages": [{"role": "user", "content": content}]});
        let request = self
            .http
            .post(format!("{}/chat/completions", self.url))
            .json(&body);
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        let text = answer["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_default();
        Ok(serde_json::from_str(text)?)
    }
}
