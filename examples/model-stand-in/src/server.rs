//! [`StandIn`] is the server.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{answers, chat, responses};

/// A `StandIn` is a provider on a loopback port of its own, until it is dropped.
#[derive(Debug)]
pub struct StandIn {
    url: String,
    sent: Arc<Mutex<Vec<Sent>>>,
    serving: JoinHandle<()>,
}

/// `Sent` is a request that came.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The request's path.
    pub path: String,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The request's body; null where it was no JSON.
    pub body: Value,
}

type Log = Arc<Mutex<Vec<Sent>>>;

impl StandIn {
    /// Starts to serve.
    ///
    /// # Errors
    ///
    /// Where there is no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let sent = Log::default();
        let app = Router::new()
            .route("/v1/{*rest}", post(answer))
            .with_state(Arc::clone(&sent));
        let serving = tokio::spawn(async move {
            // Serving ends with the task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, sent, serving })
    }

    /// Returns the base of the API for a client: `http://127.0.0.1:…/v1`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(log: &Mutex<Vec<Sent>>) -> MutexGuard<'_, Vec<Sent>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(log): State<Log>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let asks_for_srt = holds(&body, b"\"response_format\"\r\n\r\nsrt");
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path().to_owned();
    let tries = {
        let mut log = lock(&log);
        log.push(Sent {
            path: path.clone(),
            headers,
            body: body.clone(),
        });
        log.len()
    };
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    if let Some(refused) = refusal(&model, tries) {
        return refused;
    }
    let streams = body["stream"] == true;
    match (path.rsplit('/').next().unwrap_or_default(), streams) {
        ("embeddings", _) => whole(StatusCode::OK, &answers::embeddings(&body)),
        ("generations", _) => whole(
            StatusCode::OK,
            &json!({"created": 1, "data": [{"b64_json": "QUJD"}]}),
        ),
        ("speech", _) => speech(),
        ("transcriptions", _) if asks_for_srt => answers::HEARD_AS_SRT.into_response(),
        ("transcriptions", _) => whole(StatusCode::OK, &answers::heard()),
        ("responses", false) => whole(StatusCode::OK, &responses::whole(&body)),
        ("responses", true) => events(&model, responses::events(&body)),
        (_, false) => whole(StatusCode::OK, &chat::whole(&body)),
        (_, true) => events(&model, chat::events(&body)),
    }
}

/// Returns whether the form's bytes hold these.
fn holds(form: &[u8], bytes: &[u8]) -> bool {
    form.windows(bytes.len()).any(|window| window == bytes)
}

fn refusal(model: &str, tries: usize) -> Option<Response> {
    let error = |status, kind, message| {
        whole(
            status,
            &json!({"error": {"message": message, "type": kind, "param": null, "code": null}}),
        )
    };
    match model {
        it if it.contains("err400") => Some(error(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            "bad model",
        )),
        it if it.contains("err500") || it.contains("once500") && tries == 1 => Some(error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "boom",
        )),
        _ => None,
    }
}

fn whole(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, axum::Json(body)).into_response();
    response
        .headers_mut()
        .insert("x-request-id", HeaderValue::from_static("req_1"));
    response
}

/// Returns a voice, as far as anybody listens.
fn speech() -> Response {
    let mut response = Response::new(Body::from(vec![0; 2048]));
    let kind = HeaderValue::from_static("audio/mpeg");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Returns server-sent events, in pieces that are no events of their own.
fn events(model: &str, text: String) -> Response {
    let text = match model.contains("odd") {
        true => odd(&text),
        false => text,
    };
    let size = if model.contains("odd") { 7 } else { 137 };
    let pieces = text.into_bytes();
    let pieces: Vec<_> = pieces
        .chunks(size)
        .map(Bytes::copy_from_slice)
        .map(Ok)
        .collect();
    let cut = model
        .contains("cut")
        .then(|| Err(io::Error::other("the connection is cut")));
    let kept = if cut.is_some() {
        pieces.len() / 2
    } else {
        pieces.len()
    };
    let pieces = pieces.into_iter().take(kept).chain(cut);
    let more = model.contains("endless").then(|| {
        let comment = Bytes::from_static(b": still there\n\n");
        std::iter::repeat_with(move || Ok(comment.clone()))
    });
    let pieces = pieces.chain(more.into_iter().flatten());
    // Each piece is on its way before the next is made.
    let pieces = stream::iter(pieces).then(async |piece| {
        tokio::task::yield_now().await;
        piece
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Returns a text with all that a stream may have and seldom has.
fn odd(text: &str) -> String {
    let over_lines = text.replacen(",\"choices\"", ",\r\ndata: \"choices\"", 1);
    format!(
        "\u{feff}: hello\r\n\r\nretry: 3000\r\n\r\n{}",
        over_lines.replace("\n\n", "\r\n\r\n")
    )
}
