//! [`CurrentSession`] extracts the session of a request.

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use honeyhive::Session;
use honeyhive::http::{current_session, current_session_or_disabled};

/// The axum extractor gives a handler the session of the request that is being handled.
///
/// The extractor is a [`Session`]: `id()`, `enrich(..)`, and `link_to(..)` for clients that send their conversation
/// id in the body. It stays usable after the response has gone out, for instance in a WebSocket task.
///
/// ```
/// use axum::{Json, Router, routing::post};
/// use honeyhive::{Enrichment, HoneyHiveTracer, json};
/// use honeyhive_tower::{CurrentSession, HoneyHiveLayer};
/// use serde_json::Value;
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
/// The extractor never fails a request: where no layer is, or the layer leaves the request out, the session records
/// nothing, and the log says once why. `Option<CurrentSession>` tells.
#[derive(Debug, Clone)]
pub struct CurrentSession(Session);

impl CurrentSession {
    /// Returns the session, to be kept or moved into a task.
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

impl<S: Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(current_session_or_disabled()))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for CurrentSession {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(current_session().map(Self))
    }
}
