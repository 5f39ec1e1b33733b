//! [`CurrentSession`].

use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, ResponseError};
use honeyhive::Session;
use honeyhive::http::{MissingSession, current_session};

/// The session of the request that is being handled, as an extractor.
///
/// It is a [`Session`]: `id()`, `enrich(..)`, and `link_to(..)` for clients that send their conversation
/// id in the body. It stays usable after the response has gone out, for instance in a WebSocket task.
///
/// ```
/// use actix_web::{App, web};
/// use honeyhive::{Enrichment, HoneyHiveTracer};
/// use honeyhive_actix::{CurrentSession, HoneyHive};
/// use serde_json::{Value, json};
///
/// async fn chat(session: CurrentSession, body: web::Json<Value>) -> web::Json<Value> {
///     if let Some(conversation) = body["conversation_id"].as_str() {
///         session.link_to(conversation);
///     }
///     session.enrich(Enrichment::new().metadata(json!({"plan": "pro"})));
///     web::Json(json!({"session_id": session.id()}))
/// }
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let app = App::new()
///     .wrap(HoneyHive::new(tracer))
///     .route("/chat", web::post().to(chat));
/// # drop(app);
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

impl FromRequest for CurrentSession {
    type Error = CurrentSessionRejection;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = current_session().map(Self);
        ready(session.ok_or(CurrentSessionRejection(MissingSession)))
    }
}

/// The answer to a request whose handler asked for a session that there is none of.
#[derive(Debug)]
pub struct CurrentSessionRejection(MissingSession);

impl fmt::Display for CurrentSessionRejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ResponseError for CurrentSessionRejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(MissingSession::STATUS_CODE).unwrap_or_default()
    }
}
