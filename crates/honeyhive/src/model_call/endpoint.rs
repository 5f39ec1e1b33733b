//! [`Endpoint`] recognises the requests of an HTTP client that are calls of a model.

use std::borrow::Cow;

use super::operation::Operation;
use crate::stream::asking_for_usage;

/// An endpoint is a route of a provider that calls a model.
///
/// ```
/// use honeyhive::model_call::{Endpoint, Operation};
///
/// let known = Endpoint::of("api.openai.com", "/v1/chat/completions").expect("a call of a model");
/// assert_eq!((known.provider(), known.operation()), ("openai", Operation::Chat));
/// assert!(Endpoint::of("example.com", "/v1/chat/completions").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    provider: Cow<'static, str>,
    operation: Operation,
    model: Option<String>,
}

/// The hosts, and the subdomains of those that begin with a dot, have the providers' names in OpenTelemetry's
/// conventions.
const HOSTS: [(&str, &str); 14] = [
    ("api.openai.com", "openai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("-aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.groq.com", "groq"),
    ("openrouter.ai", "openrouter"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "x_ai"),
    ("api.perplexity.ai", "perplexity"),
];

/// Ollama has this port, and no host of its own.
const OLLAMA: u16 = 11434;

impl Endpoint {
    /// Recognises the call of a model at a known host: OpenAI, Azure, Anthropic, Gemini and Vertex, Mistral, Groq,
    /// OpenRouter, DeepSeek, xAI, Perplexity, and Ollama by its port. `host` may carry a port, `path` a query.
    #[must_use]
    pub fn of(host: &str, path: &str) -> Option<Self> {
        match host.rsplit_once(':') {
            Some((name, port)) => Self::on_port(name, port.parse().ok(), path),
            None => Self::on_port(host, None, path),
        }
    }

    /// Recognises the call of a model as [`of`](Self::of) does, by the parts of a parsed URL.
    ///
    /// ```
    /// use honeyhive::model_call::Endpoint;
    ///
    /// let local = Endpoint::on_port("localhost", Some(11434), "/api/chat").expect("Ollama");
    /// assert_eq!(local.provider(), "ollama");
    /// ```
    #[must_use]
    pub fn on_port(name: &str, port: Option<u16>, path: &str) -> Option<Self> {
        let is = |known: &str| match known.starts_with(['.', '-']) {
            true => name.len() > known.len() && ends_with(name, known),
            false => name.eq_ignore_ascii_case(known),
        };
        let known = HOSTS
            .iter()
            .find(|(known, _)| is(known))
            .map(|(_, provider)| *provider);
        let provider = known.or_else(|| (port == Some(OLLAMA)).then_some("ollama"))?;
        Self::at(provider, path)
    }

    /// Recognises the call of a model at a host of your own, by its path alone.
    #[must_use]
    pub fn at(provider: impl Into<Cow<'static, str>>, path: &str) -> Option<Self> {
        let path = path
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_end_matches('/');
        let routes = ROUTES.iter().find(|(route, _)| path.ends_with(route));
        let operation = match routes {
            Some((_, operation)) => *operation,
            None => Self::of_google(path)?,
        };
        Some(Self {
            provider: provider.into(),
            operation,
            model: model_in(path),
        })
    }

    /// Recognises `models/gemini-x:generateContent`, and Vertex's twins.
    fn of_google(path: &str) -> Option<Operation> {
        let (_, method) = path.rsplit_once('/')?.1.split_once(':')?;
        match method {
            "generateContent" | "streamGenerateContent" | "rawPredict" | "streamRawPredict" => {
                Some(Operation::Chat)
            }
            "embedContent" | "batchEmbedContents" => Some(Operation::Embeddings),
            _ => None,
        }
    }

    /// Returns the body of a request with OpenAI's `stream_options: {"include_usage": true}` in it, which adds token
    /// counts to a streamed chat; `None` where there is nothing to add. The program then receives one chunk more,
    /// without choices.
    #[must_use]
    pub fn asking_for_usage(&self, body: &[u8]) -> Option<Vec<u8>> {
        let speaks_it = self.operation == Operation::Chat && self.provider != "anthropic";
        speaks_it.then(|| asking_for_usage(body))?
    }

    /// Returns the provider's name.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Returns the operation that the model is asked for.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the model, where the path names it: Azure's deployment, Gemini's model.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }
}

/// The routes are the ends of paths, the longer before those that are part of them.
const ROUTES: [(&str, Operation); 16] = [
    ("/chat/completions", Operation::Chat),
    ("/fim/completions", Operation::TextCompletion),
    ("/completions", Operation::TextCompletion),
    ("/responses", Operation::Chat),
    ("/interactions", Operation::Chat),
    ("/messages", Operation::Chat),
    ("/api/chat", Operation::Chat),
    ("/api/generate", Operation::TextCompletion),
    ("/api/embed", Operation::Embeddings),
    ("/api/embeddings", Operation::Embeddings),
    ("/embeddings", Operation::Embeddings),
    ("/images/generations", Operation::ImageGeneration),
    ("/images/edits", Operation::ImageGeneration),
    ("/audio/speech", Operation::AudioGeneration),
    ("/audio/transcriptions", Operation::Transcription),
    ("/audio/translations", Operation::Transcription),
];

fn model_in(path: &str) -> Option<String> {
    for marker in ["/deployments/", "/models/"] {
        if let Some((_, rest)) = path.split_once(marker) {
            let end = rest.find(['/', ':']).unwrap_or(rest.len());
            return (end > 0).then(|| rest[..end].to_owned());
        }
    }
    None
}

fn ends_with(name: &str, end: &str) -> bool {
    let tail = name
        .len()
        .checked_sub(end.len())
        .and_then(|at| name.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_known_by_their_hosts_and_calls_by_their_paths() {
        let table = [
            (
                "api.openai.com",
                "/v1/chat/completions",
                Some(("openai", "chat", None)),
            ),
            (
                "api.openai.com:443",
                "/v1/responses",
                Some(("openai", "chat", None)),
            ),
            (
                "generativelanguage.googleapis.com",
                "/v1beta/interactions?alt=sse",
                Some(("gcp.gemini", "chat", None)),
            ),
            (
                "api.openai.com",
                "/v1/audio/translations",
                Some(("openai", "transcription", None)),
            ),
            (
                "api.openai.com",
                "/v1/embeddings",
                Some(("openai", "embeddings", None)),
            ),
            (
                "api.openai.com",
                "/v1/images/generations",
                Some(("openai", "image_generation", None)),
            ),
            ("api.openai.com", "/v1/models", None),
            ("api.openai.com", "/v1/files", None),
            (
                "me.openai.azure.com",
                "/openai/deployments/gpt-x/chat/completions?api-version=1",
                Some(("azure.ai.openai", "chat", Some("gpt-x"))),
            ),
            (
                "openai.azure.com",
                "/openai/deployments/gpt-x/chat/completions",
                None,
            ),
            (
                "api.anthropic.com",
                "/v1/messages",
                Some(("anthropic", "chat", None)),
            ),
            ("api.anthropic.com", "/v1/messages/count_tokens", None),
            (
                "generativelanguage.googleapis.com",
                "/v1beta/models/gemini-x:streamGenerateContent?alt=sse",
                Some(("gcp.gemini", "chat", Some("gemini-x"))),
            ),
            (
                "generativelanguage.googleapis.com",
                "/v1beta/openai/chat/completions",
                Some(("gcp.gemini", "chat", None)),
            ),
            (
                "generativelanguage.googleapis.com",
                "/v1beta/models/e:countTokens",
                None,
            ),
            (
                "us-central1-aiplatform.googleapis.com",
                "/v1/projects/p/locations/l/publishers/google/models/gemini-x:generateContent",
                Some(("gcp.vertex_ai", "chat", Some("gemini-x"))),
            ),
            (
                "api.mistral.ai",
                "/v1/fim/completions",
                Some(("mistral_ai", "text_completion", None)),
            ),
            (
                "api.groq.com",
                "/openai/v1/chat/completions",
                Some(("groq", "chat", None)),
            ),
            (
                "openrouter.ai",
                "/api/v1/chat/completions",
                Some(("openrouter", "chat", None)),
            ),
            (
                "localhost:11434",
                "/v1/chat/completions",
                Some(("ollama", "chat", None)),
            ),
            (
                "localhost:11434",
                "/api/chat",
                Some(("ollama", "chat", None)),
            ),
            (
                "evil-api.openai.com.example.com",
                "/v1/chat/completions",
                None,
            ),
            ("notapi.openai.com", "/v1/chat/completions", None),
        ];
        for (host, path, expected) in table {
            let found = Endpoint::of(host, path);
            let found = found
                .as_ref()
                .map(|it| (it.provider(), it.operation().as_str(), it.model()));
            assert_eq!(found, expected, "{host}{path}");
        }
    }
}
