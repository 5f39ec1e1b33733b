//! The commands ask a server over HTTP; where none listens, this process starts one on the file.

use std::env;
use std::path::PathBuf;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use honeyhive_local::LocalServer;

use crate::args::Source;
use crate::failure::Failure;
use crate::serve::data_file;

const DEFAULT_URL: &str = "http://127.0.0.1:7777";

/// A `Client` asks one server.
pub(crate) struct Client {
    url: String,
    key: Option<String>,
    pool: Pool<HttpConnector, Full<Bytes>>,
    /// The server that was started for this command.
    own: Option<LocalServer>,
}

impl Client {
    /// Returns a client of the server at the address, else of one that is started on the file.
    pub(crate) async fn of(source: &Source) -> Result<Self, Failure> {
        let client = Self::running(source);
        if client.listens().await {
            return Ok(client);
        }
        let file = data_file(source.data.as_ref())?;
        if !file.exists() {
            let (url, file) = (&client.url, file.display());
            return Err(Failure::Unreachable(format!(
                "nothing listens at {url}, and there is no {file}: start `honeyhive-local`, or say where with --url or --data"
            )));
        }
        client.on(file).await
    }

    /// Returns a client of the server at the address; an error where none listens.
    pub(crate) async fn of_server(source: &Source) -> Result<Self, Failure> {
        let client = Self::running(source);
        if client.listens().await {
            return Ok(client);
        }
        let url = &client.url;
        Err(Failure::Unreachable(format!(
            "nothing listens at {url}: start `honeyhive-local`, or say where with --url"
        )))
    }

    fn running(source: &Source) -> Self {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let url = source.url.clone().or_else(|| set("HONEYHIVE_LOCAL_URL"));
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        Self {
            url: url.trim_end_matches('/').to_owned(),
            key: set(&source.api_key_env),
            pool: Pool::builder(TokioExecutor::new()).build_http(),
            own: None,
        }
    }

    async fn on(self, file: PathBuf) -> Result<Self, Failure> {
        let server = LocalServer::builder().persist(file).start().await;
        let server = server.map_err(Failure::of)?;
        Ok(Self {
            url: server.url(),
            own: Some(server),
            ..self
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns whether a server that this process has started answers.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    async fn listens(&self) -> bool {
        let asked = self.request(Method::GET, "/healthz", None).await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// Returns the answer of a path of the read side; `None` where it is not found.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Bytes>, Failure> {
        let answer = self.request(Method::GET, path, None).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.whole(path, answer).await.map(Some)
    }

    pub(crate) async fn json(&self, path: &str) -> Result<Option<Value>, Failure> {
        let body = self.get(path).await?;
        let parsed = body.map(|body| serde_json::from_slice(&body));
        parsed.transpose().map_err(Failure::of)
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let body = Bytes::from(body.to_string());
        let answer = self
            .request(method, path, Some(("application/json", body)))
            .await?;
        let body = self.whole(path, answer).await?;
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) async fn post(&self, path: &str, kind: &str, body: Bytes) -> Result<(), Failure> {
        let answer = self.request(Method::POST, path, Some((kind, body))).await?;
        self.whole(path, answer).await.map(drop)
    }

    /// Returns an answer whose body is still coming, such as a stream.
    pub(crate) async fn open(&self, path: &str) -> Result<Incoming, Failure> {
        let answer = self.request(Method::GET, path, None).await?;
        if !answer.status().is_success() {
            return Err(self
                .whole(path, answer)
                .await
                .err()
                .unwrap_or_else(|| Failure::of("refused")));
        }
        Ok(answer.into_body())
    }

    async fn whole(&self, path: &str, answer: Response<Incoming>) -> Result<Bytes, Failure> {
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(Failure::of)?
            .to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        let why = told["message"].as_str().unwrap_or("no reason was given");
        Err(Failure::Failed(format!(
            "{}{path} answered {status}: {why}",
            self.url
        )))
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {}", key.trim()));
        }
        let (kind, body) = body.unwrap_or(("application/json", Bytes::new()));
        let request = request.header(CONTENT_TYPE, kind).body(Full::new(body));
        let request =
            request.map_err(|error| Failure::Misused(format!("{}: {error}", self.url)))?;
        let answer = self.pool.request(request).await;
        answer.map_err(|error| Failure::Unreachable(format!("{}: {error}", self.url)))
    }
}

/// Encodes `text` as one segment of a path or one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
