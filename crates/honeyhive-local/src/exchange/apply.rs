//! Doing what a call asks for.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use serde_json::{Value, json};

use super::is_authorized;
use crate::body::Unread;
use crate::config::Config;
use crate::otlp;
use crate::reply::{PROTOBUF, Reply};
use crate::rest::{self, Invalid, Update};
use crate::route::Route;
use crate::shared::Shared;

/// A call of the API, read to its end.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) route: Route,
    pub(super) head: Parts,
    pub(super) authorized: bool,
    pub(super) body: Result<Bytes, Unread>,
    pub(super) json: Result<Value, Invalid>,
}

impl Call {
    pub(super) fn new(
        config: &Config,
        route: Route,
        head: Parts,
        body: Result<Bytes, Unread>,
    ) -> Self {
        let json = serde_json::from_slice(body.as_deref().unwrap_or_default());
        Self {
            authorized: is_authorized(config, &head.headers),
            json: json.map_err(|error| Invalid(format!("invalid JSON: {error}"))),
            route,
            head,
            body,
        }
    }

    pub(super) fn apply(&self, shared: &Shared) -> Reply {
        if !self.authorized {
            return unauthorized();
        }
        let body = match &self.body {
            Ok(body) => body,
            Err(unread) => return unread.refusal(),
        };
        let done = match &self.route {
            Route::StartSession => self.start_session(shared),
            Route::StartSessionLegacy => self.start_session_legacy(shared),
            Route::UpdateEvent(id) => self.update_event(shared, id),
            Route::UpdateEventLegacy => self.update_event_legacy(shared),
            Route::Traces => self.take_spans(shared, body),
            Route::Projects => Ok(Reply::json(
                &json!([{ "id": "proj_local", "name": "local" }]),
            )),
            Route::WrongMethod(allowed) => Ok(Reply::wrong_method(allowed)),
            Route::Health | Route::Read(_) | Route::Unknown => Ok(Reply::not_found()),
        };
        done.unwrap_or_else(|Invalid(why)| Reply::refusal(StatusCode::BAD_REQUEST, &why))
    }

    fn start_session(&self, shared: &Shared) -> Result<Reply, Invalid> {
        start_session(shared, self.json()?)
    }

    fn start_session_legacy(&self, shared: &Shared) -> Result<Reply, Invalid> {
        let wrapped = self.json()?.get("session");
        let missing = || Invalid("`session` must be an object".to_owned());
        start_session(shared, wrapped.ok_or_else(missing)?)
    }

    fn update_event(&self, shared: &Shared, id: &str) -> Result<Reply, Invalid> {
        let update = Update::parse(self.json()?)?;
        let policy = shared.config.unknown_updates;
        if shared.change(|store| store.update(id, update, policy)) {
            return Ok(Reply::json(&json!({ "success": true })));
        }
        let message = "there is no session or event of this id";
        Ok(Reply::refusal(StatusCode::NOT_FOUND, message))
    }

    fn update_event_legacy(&self, shared: &Shared) -> Result<Reply, Invalid> {
        let id = self.json()?.get("event_id").and_then(Value::as_str);
        let missing = || Invalid("`event_id` must be a string".to_owned());
        self.update_event(shared, id.ok_or_else(missing)?)
    }

    fn take_spans(&self, shared: &Shared, body: &[u8]) -> Result<Reply, Invalid> {
        let (spans, reply) = match self.content_type() {
            "application/x-protobuf" => (otlp::spans_from_protobuf(body)?, protobuf_reply()),
            "application/json" => (
                otlp::spans_from_json(self.json()?)?,
                Reply::json(&json!({})),
            ),
            _ => return Ok(unsupported_content_type()),
        };
        shared.change(|store| {
            let arrivals = spans.into_iter().map(otlp::arrival);
            arrivals.for_each(|arrival| store.arrive(arrival));
        });
        Ok(reply)
    }

    fn json(&self) -> Result<&Value, Invalid> {
        self.json
            .as_ref()
            .map_err(|Invalid(why)| Invalid(why.clone()))
    }

    /// Without its parameters.
    fn content_type(&self) -> &str {
        let sent = self.head.headers.get(CONTENT_TYPE);
        let sent = sent.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        sent.split(';').next().unwrap_or_default().trim()
    }
}

fn start_session(shared: &Shared, body: &Value) -> Result<Reply, Invalid> {
    let session = rest::parse_session(body)?;
    let session = shared.change(|store| store.post(session));
    Ok(Reply::json(&rest::session_answer(&session)))
}

fn unauthorized() -> Reply {
    let message = "the API key is missing or wrong: send `Authorization: Bearer <key>`";
    Reply::refusal(StatusCode::UNAUTHORIZED, message)
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn protobuf_reply() -> Reply {
    let body = ExportTraceServiceResponse::default().encode_to_vec();
    Reply::new(StatusCode::OK, PROTOBUF, body)
}

fn unsupported_content_type() -> Reply {
    let message = "the content type must be application/x-protobuf or application/json";
    Reply::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}
