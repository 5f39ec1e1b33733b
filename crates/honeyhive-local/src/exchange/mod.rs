//! One call: read it, record it, let it fail or do what it asks for.

mod apply;
mod record;

use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::json;

use crate::body;
use crate::config::Config;
use crate::connection::Abort;
use crate::read;
use crate::reply::Reply;
use crate::route::Route;
use crate::shared::Shared;

use apply::Call;

/// Answers a request, or says how its connection ends without an answer.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Abort> {
    let (head, body) = request.into_parts();
    let route = Route::of(&head.method, head.uri.path(), shared.config.v1_routes);
    let reply = match route {
        Route::Health => Reply::json(&json!({ "status": "ok" })),
        Route::Read(route) => read::answer(&shared, &head.headers, &route),
        route => {
            let body = body::read(&head.headers, body, shared.config.max_body_bytes).await;
            answer_call(&shared, Call::new(&shared.config, route, head, body)).await?
        }
    };
    Ok(reply.into())
}

/// A call of the API: recorded, and open to faults.
async fn answer_call(shared: &Shared, call: Call) -> Result<Reply, Abort> {
    let recorded = record::request(&call);
    let sequence = shared.change(|store| store.requests.record(recorded));
    let _under_way = UnderWay(shared);
    let fault = shared.faults().next(call.route.endpoint());
    let reply = match fault {
        Some(fault) => fault.play(|| call.apply(shared)).await?,
        None => call.apply(shared),
    };
    let status = reply.status.as_u16();
    shared.change(|store| store.requests.answered(sequence, status));
    Ok(reply)
}

/// A recorded request, until it is answered, its client has left or its connection is cut.
struct UnderWay<'s>(&'s Shared);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.change(|store| store.requests.ended());
    }
}

/// Whether a request carries the key; any does where none is set.
pub(crate) fn is_authorized(config: &Config, headers: &HeaderMap) -> bool {
    let Some(key) = &config.api_key else {
        return true;
    };
    let sent = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.split_once(' '));
    sent.is_some_and(|(scheme, sent)| {
        scheme.eq_ignore_ascii_case("bearer") && key.matches(sent.trim())
    })
}
