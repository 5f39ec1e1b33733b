//! The session across processes: W3C baggage and trace context, read when something comes in and
//! written only when something leaves.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Injector, TextMapPropagator};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use crate::attributes::{BAGGAGE_SESSION_ID, BAGGAGE_SESSION_ID_BARE};
use crate::context;
use crate::outbox::Outbox;
use crate::session::{NewSession, Session, current};

impl Session {
    /// Writes this session and the current span into the headers of an outgoing request, as W3C
    /// `baggage` (`honeyhive.session_id`, and `session_id` for the Python SDK) and `traceparent`.
    ///
    /// Baggage that is current goes along. Call it for services that you trust with the id.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let session = tracer.create_session("support-chat");
    /// let mut headers = HashMap::new();
    /// session.inject(&mut headers);
    /// assert!(headers["baggage"].contains(&session.id().to_string()));
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn inject(&self, headers: &mut dyn Injector) {
        let id = self.id().to_string();
        let here = context::current();
        let cx = {
            let mine = [
                KeyValue::new(BAGGAGE_SESSION_ID, id.clone()),
                KeyValue::new(BAGGAGE_SESSION_ID_BARE, id),
            ];
            let current = here
                .baggage()
                .iter()
                .map(|(key, (value, _))| KeyValue::new(key.clone(), value.as_str().to_owned()));
            here.with_baggage(current.chain(mine).collect::<Vec<_>>())
        };
        BaggagePropagator::new().inject_context(&cx, headers);
        TraceContextPropagator::new().inject_context(&cx, headers);
    }
}

/// The context that [`Session::inject`] has put into these headers.
pub(crate) fn extract<K, V>(
    outbox: &Arc<Outbox>,
    headers: impl IntoIterator<Item = (K, V)>,
) -> Context
where
    K: AsRef<str>,
    V: AsRef<str>,
{
    let headers = propagated(headers);
    let sent = BaggagePropagator::new().extract_with_context(&Context::new(), &headers);
    let cx = TraceContextPropagator::new().extract_with_context(&context::current(), &headers);
    let cx = BaggagePropagator::new().extract_with_context(&cx, &headers);
    match current::from_baggage(&sent) {
        Some(id) => Session::begin(outbox, NewSession::existing(id)).within(&cx),
        None => cx,
    }
}

/// The headers that the propagators read. Baggage may come in several.
fn propagated<K, V>(headers: impl IntoIterator<Item = (K, V)>) -> HashMap<String, String>
where
    K: AsRef<str>,
    V: AsRef<str>,
{
    let mut found = HashMap::new();
    for (name, value) in headers {
        let name = name.as_ref().to_ascii_lowercase();
        if !matches!(name.as_str(), "baggage" | "traceparent" | "tracestate") {
            continue;
        }
        found
            .entry(name)
            .and_modify(|joined: &mut String| {
                joined.push(',');
                joined.push_str(value.as_ref());
            })
            .or_insert_with(|| value.as_ref().to_owned());
    }
    found
}

/// The value of the session in a `baggage` header, still percent-encoded, and whether it stands under
/// the key that is HoneyHive's own.
#[cfg(feature = "http-server")]
pub(crate) fn session_in_baggage(header: &str) -> Option<(&str, bool)> {
    let value = |wanted: &str| {
        header.split(',').find_map(|member| {
            let (key, value) = member.split_once('=')?;
            let value = value.split(';').next()?.trim();
            (key.trim() == wanted && !value.is_empty()).then_some(value)
        })
    };
    value(BAGGAGE_SESSION_ID)
        .map(|found| (found, true))
        .or_else(|| value(BAGGAGE_SESSION_ID_BARE).map(|found| (found, false)))
}

/// Undoes percent-encoding; `None` where it is malformed.
#[cfg(feature = "http-server")]
pub(crate) fn percent_decoded(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok().map(Into::into)
}

#[cfg(feature = "http-server")]
fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| value.try_into().ok())
}

#[cfg(all(test, feature = "http-server"))]
mod tests {
    use super::*;

    #[test]
    fn the_namespaced_key_wins_and_properties_are_cut() {
        let header = "a=1, session_id=bare;x=y , honeyhive.session_id = mine;p=q";
        assert_eq!(session_in_baggage(header), Some(("mine", true)));
        assert_eq!(
            session_in_baggage("session_id=bare;x=y"),
            Some(("bare", false))
        );
        assert_eq!(session_in_baggage("other=1,session_id="), None);
    }

    #[test]
    fn percent_encoding_is_undone_or_refused() {
        assert_eq!(percent_decoded("id%20x").as_deref(), Some("id x"));
        assert_eq!(percent_decoded("plain").as_deref(), Some("plain"));
        for bad in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }
}
