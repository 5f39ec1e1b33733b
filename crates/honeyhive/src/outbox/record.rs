//! [`Record`] is one item of the outbox, as plain data.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;

use super::load::Load;
use super::start::StartRecord;
use super::update::{Timing, UPDATE_BYTES, Update};
use crate::attributes::ERROR;
use crate::model::id::SessionId;
use crate::model::limits::VALUE_BYTES;
use crate::model::no_value::is_no_error;

/// A record is one item of the outbox.
#[derive(Debug)]
pub(crate) enum Record {
    /// A session begins.
    Start(Arc<StartRecord>),
    /// A session is updated.
    Update(SessionId, Update, Timing),
    /// A session that began here goes on under another id.
    Moved(Arc<StartRecord>, SessionId),
    /// A span was current where a request came in, and belongs to the request's session too.
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    Adopted(SpanId, SessionId),
    /// A span was current where a request came in which is not traced, and is not sent either.
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    Ignored(SpanId),
    /// A session is sent whatever the sampling.
    Exempt(SessionId),
    /// A request that was linked to this session has ended, or has moved on.
    Ended(SessionId),
    /// A request or a message that only its own instrumentation sees has begun, outside every session.
    Root(Box<Root>),
    /// The root span of such a request or message has ended, and is left out itself.
    RootEnded(Box<RootEnd>),
}

/// The root span of a request or a message outside every session is noted as it starts.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) name: Cow<'static, str>,
    pub(crate) started_at: SystemTime,
}

/// The root span of a request or a message ends with this name and outcome.
#[derive(Debug)]
pub(crate) struct RootEnd {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) name: Cow<'static, str>,
    pub(crate) went: SpanWent,
}

/// The outcome and the duration of a span decide about its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanWent {
    pub(crate) has_failed: bool,
    pub(crate) took: Duration,
}

impl SpanWent {
    pub(crate) fn of(span: &SpanData) -> Self {
        let mut errors = span.attributes.iter().filter(|it| it.key.as_str() == ERROR);
        let mut says_so = || errors.any(|it| !is_no_error(&it.value));
        let took = span.end_time.duration_since(span.start_time);
        Self {
            has_failed: matches!(span.status, Status::Error { .. }) || says_so(),
            took: took.unwrap_or_default(),
        }
    }
}

impl Record {
    /// Cuts an item of so many bytes down to the limits; false where nothing was cut.
    #[inline]
    pub(super) fn fit(&mut self, bytes: u64) -> bool {
        match self {
            Self::Update(_, Update::Enrich(enrichment), _) if bytes > VALUE_BYTES as u64 => {
                enrichment.fit();
                true
            }
            _ => false,
        }
    }

    /// Returns the item's load. A move or an adoption has none: there is nothing to deliver.
    #[inline]
    pub(crate) fn load(&self) -> Load {
        match self {
            Self::Start(start) => Load::one(start.bytes()),
            Self::Update(_, Update::Enrich(enrichment), _) => {
                Load::one(UPDATE_BYTES + enrichment.bytes())
            }
            Self::Update(_, Update::End(end), _) => end.load(),
            Self::Moved(..)
            | Self::Adopted(..)
            | Self::Ignored(_)
            | Self::Exempt(_)
            | Self::Ended(_)
            | Self::Root(_)
            | Self::RootEnded(_) => Load::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::limits::NAME_BYTES;
    use crate::model::object::Object;
    use crate::outbox::inputs::Inputs;
    use crate::outbox::start::Facts;
    use crate::outbox::update::{Outcome, SessionEnd};

    /// The texts of 20 MiB are cut at the entrance: the wire would cut them only once HoneyHive has refused them.
    #[test]
    fn what_a_session_is_called_where_it_comes_from_and_why_it_failed_are_bounded_at_the_entrance()
    {
        /// A text that was cut has a mark of this length at the most.
        const MARK: usize = 64;
        let text = || "x".repeat(20 * 1024 * 1024);
        let inputs = Inputs::Object(Object::new());
        let start = StartRecord::new(SessionId::new(), text().into(), inputs, SystemTime::now());
        assert!(start.name().len() <= NAME_BYTES + MARK);
        let facts = Facts {
            source: Some(text().into()),
            ..Facts::default()
        };
        let source = facts.boxed().and_then(|it| it.source).unwrap();
        assert!(source.len() <= NAME_BYTES + MARK);
        let mut end = SessionEnd {
            error: Some(text()),
            ..SessionEnd::of_work(SystemTime::now(), Duration::ZERO, Outcome::Error)
        };
        end.fit();
        assert!(end.error.unwrap().len() <= VALUE_BYTES + MARK);
    }
}
