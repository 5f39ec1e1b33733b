//! The feedback endpoint takes in ratings of answers by people over HTTP: the part that depends on no framework
//! (feature `http-server`).
//!
//! `honeyhive_tower::feedback_routes(tracer)` and `honeyhive_actix::feedback(tracer)` are the routes. A client `POST`s
//!
//! ```json
//! {"session_id": "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11", "rating": true, "comment": "to the point", "tags": ["short"]}
//! ```
//!
//! with `event_id` in place of `session_id` for one event of a session, and at least one of the other fields. All of
//! them go to `feedback` of that session or event.
//!
//! | Field | Value |
//! |---|---|
//! | `rating` | `true` or `false`, a number, or a text of at most 64 characters |
//! | `comment` | a text of at most 4,000 characters |
//! | `tags` | at most 20 texts of at most 64 characters |
//!
//! | Status | When |
//! |--:|---|
//! | 202 | the feedback is on its way to HoneyHive |
//! | 400 | the body is no such object; `error.message` says what to change |
//! | 403 | the id is not [trusted](crate::SessionTrust) |
//! | 405 | the method is not `POST` |
//! | 413 | the body has more than [`FeedbackEndpoint::MOST_BYTES`] |
//! | 415 | the body is no JSON, which also keeps out the forms of foreign pages |
//! | 429 | this id had too many ratings; `Retry-After` says when the next one is taken |
//!
//! The ratings of 10,000 ids are counted at a time. A client that makes up more within a minute keeps others from
//! rating ids that are new, which get a 429; [signed ids](crate::SessionTrust) keep such a client out.

mod answer;
mod body;
mod limiter;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub use answer::FeedbackAnswer;
use body::{Feedback, Target};
use limiter::Limiter;

use crate::context;
use crate::enrichment::Enrichment;
use crate::http::RequestInfo;
use crate::log::Once;
use crate::model::id::{EventId, SessionId};
use crate::session::{NewSession, Session, SessionTrust, current};
use crate::tracer::HoneyHiveTracer;

/// The endpoint takes in ratings of sessions and events, for adapters and for handlers of one's own. Clones are cheap.
///
/// ```
/// use honeyhive::feedback::FeedbackEndpoint;
///
/// # let (tracer, captured) = honeyhive::testing::tracer();
/// let session = tracer.create_session("support-chat");
/// let endpoint = FeedbackEndpoint::new(tracer.clone());
/// let body = format!(r#"{{"session_id": "{}", "rating": true}}"#, session.id());
/// assert_eq!(endpoint.receive(body.as_bytes()).status_code(), 202);
/// # assert_eq!(captured.only_session().feedback["rating"], true);
/// ```
#[derive(Clone)]
pub struct FeedbackEndpoint {
    tracer: HoneyHiveTracer,
    trust: Option<Arc<SessionTrust>>,
    #[cfg(feature = "signed-ids")]
    tenant: Option<Tenant>,
    limiter: Arc<Limiter>,
}

#[cfg(feature = "signed-ids")]
type Tenant = Arc<dyn Fn(&RequestInfo<'_>) -> Option<String> + Send + Sync>;

impl FeedbackEndpoint {
    /// A body of more bytes is not read.
    pub const MOST_BYTES: usize = 32 * 1024;

    /// Returns an endpoint with the defaults: the tracer's trust, and 20 ratings a minute for each id.
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        Self {
            tracer,
            trust: None,
            #[cfg(feature = "signed-ids")]
            tenant: None,
            limiter: Arc::new(Limiter::per_minute(20)),
        }
    }

    /// Sets the trust in the ids of bodies (default: the tracer's). A client that can name a session can rate it, so
    /// where clients are strangers use `SessionTrust::signed(..)`: `session_id` is then the value of the response
    /// header, and `event_id` the result of `SigningKeys::sign_event`.
    #[must_use]
    pub fn session_trust(mut self, trust: SessionTrust) -> Self {
        self.trust = Some(Arc::new(trust));
        self
    }

    /// Sets the tenant of a request, for whom its ids must be signed (feature `signed-ids`; default: none). Give the
    /// same callback as to
    /// [`ServerInstrumentationBuilder::session_tenant`](crate::http::ServerInstrumentationBuilder::session_tenant): the
    /// endpoint that [`check`](Self::check) returns asks for the tenant, and [`receive`](Self::receive) alone knows
    /// none.
    ///
    /// A request whose callback panics is refused.
    ///
    /// ```
    /// use honeyhive::feedback::FeedbackEndpoint;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let endpoint = FeedbackEndpoint::new(tracer)
    ///     .session_tenant(|request| request.header("x-tenant").map(str::to_owned));
    /// # drop(endpoint);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[cfg(feature = "signed-ids")]
    #[must_use]
    pub fn session_tenant<F, N>(mut self, tenant: F) -> Self
    where
        F: Fn(&RequestInfo<'_>) -> N + Send + Sync + 'static,
        N: Into<Option<String>>,
    {
        self.tenant = Some(Arc::new(move |request| tenant(request).into()));
        self
    }

    /// Sets the most ratings per minute of one session or event (default 20).
    #[must_use]
    pub fn most_per_minute(mut self, times: u32) -> Self {
        self.limiter = Arc::new(Limiter::per_minute(times));
        self
    }

    /// Checks the head of a request, and returns the endpoint that [`receive`](Self::receive)s its body.
    ///
    /// # Errors
    ///
    /// The error is the answer to a request that is no `POST` of JSON.
    #[must_use = "the endpoint that is returned takes the body"]
    pub fn check(&self, request: &RequestInfo<'_>) -> Result<Self, FeedbackAnswer> {
        warn_inside_a_layer();
        if request.method() != "POST" {
            return Err(FeedbackAnswer::method_not_allowed());
        }
        match request.header("content-type") {
            Some(kind) if is_json(kind) => Ok(self.of_tenant(request)),
            _ => Err(FeedbackAnswer::unsupported_media_type()),
        }
    }

    /// Takes in a body, of [`MOST_BYTES`](Self::MOST_BYTES) at the most.
    pub fn receive(&self, body: &[u8]) -> FeedbackAnswer {
        if body.len() > Self::MOST_BYTES {
            return FeedbackAnswer::too_large();
        }
        self.record(body).unwrap_or_else(|refusal| refusal)
    }

    fn record(&self, body: &[u8]) -> Result<FeedbackAnswer, FeedbackAnswer> {
        let Feedback { target, said } = Feedback::read(body)?;
        let named = self.named(&target).ok_or_else(FeedbackAnswer::forbidden)?;
        let id = match named {
            Named::Session(id) => id.into(),
            Named::Event(id) => id,
        };
        self.limiter
            .take(id, Instant::now())
            .map_err(FeedbackAnswer::too_many)?;
        let enrichment = Enrichment::new().feedback(said);
        match named {
            Named::Session(id) => {
                // A rating is no turn of the conversation, as `create_session` would be.
                let session = Session::begin(self.tracer.outbox(), NewSession::existing(id));
                session.enrich(enrichment);
            }
            Named::Event(id) => self.tracer.enrich_event(id, enrichment),
        }
        Ok(FeedbackAnswer::accepted())
    }

    fn named(&self, target: &Target) -> Option<Named> {
        let (trust, outbox) = (self.trust(), self.tracer.outbox());
        match target {
            Target::Session(raw) => trust.session_or_count(raw, outbox).map(Named::Session),
            Target::Event(raw) => trust.event_or_count(raw, outbox).map(Named::Event),
        }
    }

    fn trust(&self) -> &SessionTrust {
        let own = self.trust.as_deref();
        own.unwrap_or_else(|| self.tracer.trusts().of_tracer())
    }

    /// Returns the endpoint that takes ids which are signed for the tenant of a request.
    fn of_tenant(&self, request: &RequestInfo<'_>) -> Self {
        #[cfg(feature = "signed-ids")]
        if let Some(tenant) = &self.tenant
            && let outbox = self.tracer.outbox()
            && let Some(trust) = self.trust().for_tenant(outbox, || tenant(request))
        {
            return self.clone().session_trust(trust);
        }
        let _ = request;
        self.clone()
    }
}

impl From<HoneyHiveTracer> for FeedbackEndpoint {
    fn from(tracer: HoneyHiveTracer) -> Self {
        Self::new(tracer)
    }
}

/// The target of a rating is named by an id that is trusted.
#[derive(Clone, Copy)]
enum Named {
    Session(SessionId),
    Event(EventId),
}

/// Warns that a rating which is a request of the layer's becomes a session of its own.
fn warn_inside_a_layer() {
    static TOLD: Once = Once::new();
    let is_inside = context::map(|cx| current::of_request(cx).is_some());
    if is_inside.unwrap_or(false) {
        TOLD.warn(
            "the feedback route is inside a HoneyHive layer, so every rating becomes a session of its own as well: add the \
             route after the layer, or leave it out with `.skip(|request| request.path() == \"/feedback\")`",
        );
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

impl fmt::Debug for FeedbackEndpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FeedbackEndpoint")
            .field("session_trust", &self.trust)
            .finish_non_exhaustive()
    }
}
