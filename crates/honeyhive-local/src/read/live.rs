//! The stream of changes (server-sent events) serves pages that are open.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as HttpBody, Frame};
use serde_json::json;

use super::api;
use crate::shared::Server;
use crate::store::{Changes, Kind};

/// Two messages are this long apart.
const BETWEEN: Duration = Duration::from_millis(250);

/// A message in this interval shows both sides that the other is there.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Answers `GET /api/stream?since=`: changes after a number; a client that comes back says its last in `Last-Event-ID`.
pub(super) async fn stream(
    State(shared): State<Server>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let resumed = headers
        .get(LAST_EVENT_ID)
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let asked =
        api::number(&query.unwrap_or_default(), "since").and_then(|n| u64::try_from(n).ok());
    let since = resumed.or(asked);
    let since = since.unwrap_or_else(|| shared.feed.since(u64::MAX).last);
    let body = Body::new(Stream {
        next: Box::pin(next(shared, since, true)),
    });
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

type Next = Pin<Box<dyn Future<Output = (Server, u64, Bytes)> + Send>>;

/// A `Stream` is a body that never ends by itself.
struct Stream {
    next: Next,
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let (shared, since, text) = ready!(self.next.as_mut().poll(context));
        self.next = Box::pin(next(shared, since, false));
        Poll::Ready(Some(Ok(Frame::data(text))))
    }
}

/// Returns the next piece of the stream, and the number of its last change.
async fn next(shared: Server, since: u64, first: bool) -> (Server, u64, Bytes) {
    if first {
        // A first line at once tells the browser that the stream is open.
        return (shared, since, Bytes::from_static(b"retry: 1000\n\n"));
    }
    let mut watch = shared.feed.watch();
    tokio::time::sleep(BETWEEN).await;
    let waited = tokio::time::timeout(ALIVE_EVERY, async {
        loop {
            let changes = shared.feed.since(since);
            if changes.missed || !changes.changes.is_empty() {
                return changes;
            }
            if watch.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    });
    match waited.await {
        Ok(changes) => {
            let text = message(&shared, &changes);
            (Arc::clone(&shared), changes.last, text)
        }
        Err(_) => (shared, since, Bytes::from_static(b": alive\n\n")),
    }
}

/// Returns a message with each changed thing once, however often it has changed.
fn message(shared: &Server, changes: &Changes) -> Bytes {
    let mut seen: HashMap<(Kind, &str), bool> = HashMap::new();
    for change in &changes.changes {
        let new = seen.entry((change.kind, change.id.as_str())).or_default();
        *new |= change.new;
    }
    let changed = seen
        .iter()
        .map(|((kind, id), new)| json!({ "kind": kind, "id": id, "new": new }));
    let changed: Vec<_> = changed.collect();
    let data = json!({ "changes": changed, "missed": changes.missed }).to_string();
    let data = shared.config.keys.removed_from(data);
    format!("id: {}\ndata: {data}\n\n", changes.last).into()
}
