//! A test decides what its model endpoint says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chat_support::{ApiKey, Config, OpenAiConfig, Responder};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

pub(crate) const KEY: &str = "sk-very-secret";

/// An `Answer` is the endpoint's reaction to a question.
pub(crate) enum Answer {
    /// Answers with a status and a body.
    Plain(u16, &'static str),
    /// Answers with these pieces of a stream.
    Stream(Vec<&'static str>),
    /// Answers with these pieces and then neither goes on nor ends.
    Stalling(Vec<&'static str>),
    /// Does not answer.
    Silence,
}

/// An `Endpoint` knows what it was asked.
pub(crate) struct Endpoint {
    answer: Answer,
    asked: Mutex<Vec<Value>>,
    /// The notification of every question.
    pub(crate) question: Notify,
}

impl Endpoint {
    pub(crate) fn new(answer: Answer) -> Arc<Self> {
        Arc::new(Self {
            answer,
            asked: Mutex::default(),
            question: Notify::new(),
        })
    }

    /// Returns a responder that asks this endpoint.
    pub(crate) async fn responder(self: &Arc<Self>) -> Responder {
        let app = Router::new()
            .route("/v1/chat/completions", post(completions))
            .with_state(Arc::clone(self));
        responder_at(&format!("http://{}/v1", serve(app).await))
    }

    /// Returns the bodies of the questions so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    async fn answer(&self) -> Response {
        match &self.answer {
            Answer::Plain(status, body) => {
                (StatusCode::from_u16(*status).unwrap(), *body).into_response()
            }
            Answer::Stream(pieces) => pieces_of(pieces.clone()).into_response(),
            Answer::Stalling(pieces) => {
                let stalling = pieces_of(pieces.clone()).into_data_stream();
                Body::from_stream(stalling.chain(stream::pending())).into_response()
            }
            Answer::Silence => std::future::pending().await,
        }
    }
}

/// Returns a responder that asks whatever is at this address.
pub(crate) fn responder_at(base_url: &str) -> Responder {
    let openai = OpenAiConfig {
        api_key: ApiKey::new(KEY),
        base_url: base_url.to_owned(),
        model: "gpt-test".to_owned(),
    };
    Responder::new(&Config {
        address: String::new(),
        openai: Some(openai),
    })
    .unwrap()
}

/// Serves the endpoint on any free port until the test is over.
async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn completions(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    let question = serde_json::from_slice(&body).unwrap();
    endpoint.asked.lock().unwrap().push(question);
    endpoint.question.notify_one();
    endpoint.answer().await
}

fn pieces_of(pieces: Vec<&'static str>) -> Body {
    Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, axum::Error>)))
}
