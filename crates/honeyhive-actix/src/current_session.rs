//! [`CurrentSession`] extracts the session of a request.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use honeyhive::Session;
use honeyhive::http::current_session_or_disabled;

/// The extractor gives a handler the session of the request that is being handled.
///
/// The extractor is a [`Session`]: `id()`, `enrich(..)`, and `link_to(..)` for clients that send their conversation
/// id in the body. It stays usable after the response has gone out, for instance in a WebSocket task.
///
/// ```
/// use actix_web::{App, web};
/// use honeyhive::{Enrichment, HoneyHiveTracer, json};
/// use honeyhive_actix::{CurrentSession, HoneyHive};
/// use serde_json::Value;
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
/// The extractor never fails a request: where no middleware is, or the middleware leaves the request out, it is a
/// session that records nothing, and the log says once why. [`is_recording`](Session::is_recording) tells:
///
/// ```
/// use actix_web::{App, web};
/// use honeyhive_actix::CurrentSession;
///
/// async fn chat(session: CurrentSession) -> &'static str {
///     if session.is_recording() { "recorded" } else { "not recorded" }
/// }
///
/// let app = App::new().route("/chat", web::post().to(chat)); // no middleware
/// # drop(app);
/// ```
///
/// An `Option<CurrentSession>` is always `Some`: actix-web makes it from whether the extractor fails, and has no other
/// hook for it. For an option there is [`honeyhive::http::current_session`], which says `None` without a word in the
/// log.
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

impl FromRequest for CurrentSession {
    type Error = Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(current_session_or_disabled())))
    }
}
