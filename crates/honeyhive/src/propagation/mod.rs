//! The session crosses processes in W3C baggage and trace context, read when something comes in and written only when
//! something leaves.

mod baggage;
mod carrier;

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

pub(crate) use baggage::{SessionInBaggage, experiment_in_context, session_in_context};
pub use carrier::HeadersMut;

use crate::context;
use crate::outbox::Outbox;
use crate::session::{NewSession, Session, SessionTrust};

/// The header carries a session's id both ways.
pub(crate) const SESSION_ID_HEADER: &str = "x-session-id";
const BAGGAGE: &str = "baggage";
const TRACE_PARENT: &str = "traceparent";
const TRACE_STATE: &str = "tracestate";

impl Session {
    /// Writes this session and the current span into the headers of an outgoing request, as W3C
    /// `baggage` (`honeyhive.session_id`, and `session_id` for the Python SDK) and `traceparent`.
    ///
    /// Baggage that is current goes along, behind the session and with its properties. Call it for services that you
    /// trust with the id. The headers are any [`HeadersMut`].
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let session = tracer.create_session("support-chat");
    /// let mut headers = HashMap::new();
    /// session.inject(&mut headers);
    /// assert!(headers["baggage"].contains(&session.id().to_string()));
    ///
    /// let mut pairs: Vec<(String, String)> = Vec::new();
    /// session.inject(&mut pairs); // any client that takes names and values
    /// # assert_eq!(pairs[0].1, headers["baggage"]);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[doc(alias = "inject_context")]
    pub fn inject<Kind>(&self, headers: &mut (impl HeadersMut<Kind> + ?Sized)) {
        let cx = context::current();
        let experiment = self.start.experiment();
        headers.set_header(BAGGAGE, &baggage::header(&cx, self.id(), experiment));
        let mut sent = HashMap::new();
        TraceContextPropagator::new().inject_context(&cx, &mut sent);
        for name in [TRACE_PARENT, TRACE_STATE] {
            if let Some(value) = sent.get(name).filter(|value| !value.is_empty()) {
                headers.set_header(name, value);
            }
        }
    }
}

impl Session {
    /// Returns the headers of an outgoing request that belongs to this session: those of [`inject`](Self::inject), and
    /// `X-Session-ID`, by which a server links it though it reads no baggage.
    ///
    /// ```
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let session = tracer.create_session("support-chat");
    /// let headers = session.headers(); // reqwest: `client.post(url).headers(session.headers())`
    /// assert_eq!(headers["x-session-id"], session.id().to_string());
    /// # assert!(headers.contains_key("baggage"));
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[must_use]
    pub fn headers(&self) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        self.inject(&mut headers);
        headers.set_header(SESSION_ID_HEADER, &self.id().to_string());
        headers
    }
}

/// Returns the context that [`Session::inject`] has put into these headers.
pub(crate) fn extract<K, V>(
    outbox: &Arc<Outbox>,
    trust: &SessionTrust,
    headers: impl IntoIterator<Item = (K, V)>,
) -> Context
where
    K: AsRef<str>,
    V: AsRef<[u8]>,
{
    let headers = propagated(headers);
    let cx = TraceContextPropagator::new().extract_with_context(&context::current(), &headers);
    let cx = BaggagePropagator::new().extract_with_context(&cx, &headers);
    let mut sent = SessionInBaggage::default();
    if let Some(header) = headers.get(BAGGAGE) {
        sent.read(header.as_bytes());
    }
    match sent.session(|raw| trust.session_or_count(raw, outbox)) {
        Some(id) => {
            let experiment = trust.experiment(|| sent.experiment());
            let linked = NewSession::existing(id).experiment(experiment);
            let session = Session::begin(outbox, linked);
            session.turn_begins();
            session.within(&cx)
        }
        None => cx,
    }
}

/// Returns the headers that the propagators read. A header that may come several times is joined.
fn propagated<K, V>(headers: impl IntoIterator<Item = (K, V)>) -> HashMap<String, String>
where
    K: AsRef<str>,
    V: AsRef<[u8]>,
{
    let mut found = HashMap::new();
    for (name, value) in headers {
        let name = name.as_ref().to_ascii_lowercase();
        let Ok(value) = std::str::from_utf8(value.as_ref()) else {
            continue;
        };
        if !matches!(name.as_str(), BAGGAGE | TRACE_PARENT | TRACE_STATE) {
            continue;
        }
        found
            .entry(name)
            .and_modify(|joined: &mut String| {
                joined.push(',');
                joined.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    found
}
