//! A chat server runs, and a client talks to it.

use std::net::SocketAddr;
use std::time::Duration;

use chat_support::Responder;
use honeyhive::HoneyHiveTracer;
use honeyhive_local::{LocalEvent, LocalServer, LocalSession};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::serving;

const PATIENCE: Duration = Duration::from_secs(60);

/// A `Server` is the chat server, the HoneyHive it reports to, and a client.
pub(crate) struct Server {
    pub(crate) honeyhive: LocalServer,
    tracer: HoneyHiveTracer,
    address: SocketAddr,
    client: reqwest::Client,
}

impl Server {
    /// Starts a server whose responder does not dawdle.
    pub(crate) async fn start() -> Self {
        Self::start_with(Responder::built_in(Duration::ZERO)).await
    }

    /// Starts a server whose responder says a word and then falls silent, as good as for ever.
    pub(crate) async fn start_hesitant() -> Self {
        Self::start_with(Responder::built_in(Duration::from_secs(3600))).await
    }

    pub(crate) async fn start_with(responder: Responder) -> Self {
        let honeyhive = LocalServer::builder().start().await.unwrap();
        let tracer = HoneyHiveTracer::builder()
            .api_key("local")
            .server_url(honeyhive.url())
            .build()
            .unwrap();
        let address = serving::serve(tracer.clone(), responder).await;
        Self {
            honeyhive,
            tracer,
            address,
            client: client(),
        }
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn head(&self, path: &str) -> Response {
        self.client.head(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// Sends this body by `POST /chat`.
    pub(crate) async fn chat(&self, body: &Value) -> Response {
        self.post("/chat").json(body).send().await.unwrap()
    }

    /// Sends a message by `POST /chat/stream`.
    pub(crate) async fn stream(&self, message: &str) -> Response {
        let body = json!({ "message": message });
        self.post("/chat/stream").json(&body).send().await.unwrap()
    }

    /// Delivers everything that was recorded.
    pub(crate) async fn flush(&self) {
        self.tracer.force_flush(PATIENCE).await.unwrap();
    }

    /// Returns the one session there is, once it has ended, with everything in it.
    pub(crate) async fn only_session(&self) -> LocalSession {
        assert!(
            self.honeyhive
                .wait_until(PATIENCE, |honeyhive| ended(&honeyhive.sessions()))
                .await,
            "no session has ended: {:?}",
            self.honeyhive.sessions()
        );
        self.flush().await;
        let mut sessions = self.honeyhive.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        sessions.remove(0)
    }

    /// Returns the only event of a type in a session.
    pub(crate) fn event(&self, session: &str, event_type: &str) -> LocalEvent {
        let mut events = self.honeyhive.events(session);
        events.retain(|event| event.event_type == event_type);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

fn ended(sessions: &[LocalSession]) -> bool {
    !sessions.is_empty()
        && sessions
            .iter()
            .all(|it| it.metadata.contains_key("outcome"))
}

/// Returns a client that no proxy of the machine gets in the way of.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Returns the session id in a response's header.
pub(crate) fn session_id(response: &Response) -> String {
    let header = response.headers().get("x-session-id");
    let header = header.expect("the response names its session");
    header.to_str().unwrap().to_owned()
}
