//! [`CurrentSession`].

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use honeyhive::Session;
use honeyhive::http::{MissingSession, current_session};

/// The session of the request that is being handled, as an axum extractor.
///
/// It is a [`Session`]: `id()`, `enrich(..)`, and `link_to(..)` for clients that send their conversation
/// id in the body. It stays usable after the response has gone out, for instance in a WebSocket task.
///
/// ```
/// use axum::{Json, Router, routing::post};
/// use honeyhive::{Enrichment, HoneyHiveTracer};
/// use honeyhive_tower::{CurrentSession, HoneyHiveLayer};
/// use serde_json::{Value, json};
///
/// async fn chat(session: CurrentSession, Json(body): Json<Value>) -> Json<Value> {
///     if let Some(conversation) = body["conversation_id"].as_str() {
///         session.link_to(conversation);
///     }
///     session.enrich(Enrichment::new().metadata(json!({"plan": "pro"})));
///     Json(json!({"session_id": session.id()}))
/// }
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let app: Router = Router::new()
///     .route("/chat", post(chat))
///     .layer(HoneyHiveLayer::new(tracer));
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
///
/// In a handler that also serves requests without a session ask for `Option<CurrentSession>`.
#[derive(Debug, Clone)]
pub struct CurrentSession(Session);

impl CurrentSession {
    /// The session, to be kept or moved into a task.
    #[must_use]
    pub fn into_inner(self) -> Session {
        self.0
    }
}

impl Deref for CurrentSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

/// The answer to a request whose handler asked for a session that there is none of.
#[derive(Debug)]
pub struct CurrentSessionRejection(MissingSession);

impl IntoResponse for CurrentSessionRejection {
    fn into_response(self) -> Response {
        let mut response = self.0.to_string().into_response();
        if let Ok(status) = StatusCode::from_u16(MissingSession::STATUS_CODE) {
            *response.status_mut() = status;
        }
        response
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = CurrentSessionRejection;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        current_session()
            .map(Self)
            .ok_or(CurrentSessionRejection(MissingSession))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for CurrentSession {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(current_session().map(Self))
    }
}
