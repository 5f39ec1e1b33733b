//! [`Labels`]: whose a span is, once it is known where its session went and what it encloses.

use std::sync::Arc;

use opentelemetry::Value;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::SESSION_ID;
use crate::delivery::recent::Recent;
use crate::model::id::SessionId;
use crate::outbox::StartRecord;

/// What has been said of spans and sessions besides their own content, as far back as it is remembered.
#[derive(Debug)]
pub(in crate::delivery) struct Labels {
    /// Spans whose children have been seen.
    parents: Recent<SpanId, ()>,
    /// Spans that began outside the session of the request which they enclose.
    adopted: Recent<SpanId, SessionId>,
    /// Spans that enclose a request which is not traced.
    ignored: Recent<SpanId, ()>,
    moved: Recent<SessionId, SessionId>,
    /// The names of sessions that no start of ours has created: ingestion is asked to create them from
    /// their spans, where it does not know them.
    unstarted: Recent<SessionId, Arc<str>>,
}

impl Labels {
    pub(in crate::delivery) fn new() -> Self {
        Self {
            parents: Recent::new(),
            adopted: Recent::new(),
            ignored: Recent::new(),
            moved: Recent::new(),
            unstarted: Recent::new(),
        }
    }

    /// Notes that the parent of a span has a child.
    pub(in crate::delivery) fn note_parent(&mut self, span: &SpanData) {
        if has_local_parent(span) {
            self.parents.insert(span.parent_span_id, ());
        }
    }

    pub(in crate::delivery) fn has_children(&self, span: &SpanData) -> bool {
        let id = span.span_context.span_id();
        self.parents.contains(&id) || self.adopted.contains(&id)
    }

    /// Gives a span that was current where a request came in to the request's session, though it began earlier.
    pub(in crate::delivery) fn adopt(&mut self, span: SpanId, session: SessionId) {
        self.adopted.insert(span, session);
    }

    /// Leaves out a span that was current where a request came in which is not traced.
    pub(in crate::delivery) fn ignore(&mut self, span: SpanId) {
        self.ignored.insert(span, ());
    }

    /// Notes that a session goes on under another id. Only for an id that nobody else can know.
    pub(in crate::delivery) fn moved(&mut self, start: &StartRecord, to: SessionId) {
        self.moved.insert(start.id, to);
        self.unstarted.insert(to, Arc::clone(start.name()));
    }

    /// Notes that no start of ours creates the session.
    pub(in crate::delivery) fn unstarted(&mut self, start: &StartRecord) {
        self.unstarted.insert(start.id, Arc::clone(start.name()));
    }

    /// The name for ingestion to create a session with, where no start of ours does.
    pub(in crate::delivery) fn unstarted_name(&self, id: SessionId) -> Option<&Arc<str>> {
        self.unstarted.get(&id)
    }

    /// The id under which a session goes by now.
    pub(in crate::delivery) fn current(&self, id: SessionId) -> SessionId {
        self.moved.get(&id).copied().unwrap_or(id)
    }

    /// True for a span around an untraced request; so is then whatever encloses it.
    pub(in crate::delivery) fn is_ignored(&mut self, span: &SpanData) -> bool {
        let id = span.span_context.span_id();
        let ignored = self.ignored.contains(&id) && !self.adopted.contains(&id);
        if ignored && has_local_parent(span) {
            self.ignore(span.parent_span_id);
        }
        ignored
    }

    /// The session of the request that a span encloses; what encloses the span belongs to it, too.
    pub(in crate::delivery) fn adopter(&mut self, span: &SpanData) -> Option<SessionId> {
        let session = *self.adopted.get(&span.span_context.span_id())?;
        if has_local_parent(span) {
            self.adopt(span.parent_span_id, session);
        }
        Some(self.current(session))
    }
}

fn has_local_parent(span: &SpanData) -> bool {
    span.parent_span_id != SpanId::INVALID && !span.parent_span_is_remote
}

/// The session that was noted at the start, after whatever the span began with.
pub(in crate::delivery) fn session_of(span: &SpanData) -> Option<SessionId> {
    let mut attributes = span.attributes.iter();
    let noted = attributes.rfind(|attribute| attribute.key.as_str() == SESSION_ID)?;
    match &noted.value {
        Value::String(text) => SessionId::checked_from_correlation_id(text.as_str()),
        _ => None,
    }
}
