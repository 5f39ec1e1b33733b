//! [`Labels`] find the session of each span, by the session's moves and by the requests that the span encloses.

use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::Value;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::SESSION_ID;
use crate::delivery::recent::Recent;
use crate::model::id::SessionId;
use crate::model::limits::{NAME_BYTES, cut_cow};
use crate::outbox::{Root, RootEnd, SpanWent, StartRecord};

/// The labels know about spans and sessions what their own content does not tell, as far back as they are remembered.
#[derive(Debug)]
pub(in crate::delivery) struct Labels {
    /// The children of these spans have been seen.
    parents: Recent<SpanId, ()>,
    /// These spans have begun outside the session of the request which they enclose.
    adopted: Recent<SpanId, SessionId>,
    /// These spans enclose a request which is not traced.
    ignored: Recent<SpanId, ()>,
    moved: Recent<SessionId, SessionId>,
    /// The names are of sessions that no start of ours has created: ingestion is asked to create them from their spans,
    /// where it does not know them.
    unstarted: Recent<SessionId, Arc<str>>,
    /// The requests outside every session are found by their trace.
    requests: Recent<TraceId, Request>,
}

/// Only another library's instrumentation sees such a request or message.
#[derive(Debug)]
struct Request {
    root: SpanId,
    name: Arc<str>,
    started_at: SystemTime,
    /// The request has a session once one is needed.
    session: Option<SessionId>,
    /// The end is of a root that is left out, until there is a session to tell of it.
    ended: Option<SpanWent>,
}

impl Labels {
    pub(in crate::delivery) fn new() -> Self {
        Self {
            parents: Recent::new(),
            adopted: Recent::new(),
            ignored: Recent::new(),
            moved: Recent::new(),
            unstarted: Recent::new(),
            requests: Recent::new(),
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

    /// Assigns a span that was current where a request came in to the request's session, though it began earlier.
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

    /// Returns the name for ingestion to create a session with, where no start of ours does.
    pub(in crate::delivery) fn unstarted_name(&self, id: SessionId) -> Option<&Arc<str>> {
        self.unstarted.get(&id)
    }

    /// Returns the id under which a session goes by now.
    pub(in crate::delivery) fn current(&self, id: SessionId) -> SessionId {
        self.moved.get(&id).copied().unwrap_or(id)
    }

    /// Returns true for a span around or beside an untraced request, and for every span around it.
    pub(in crate::delivery) fn is_ignored(&mut self, span: &SpanData) -> bool {
        let is_left_out = |id: &SpanId| self.ignored.contains(id) && !self.adopted.contains(id);
        let around = is_left_out(&span.span_context.span_id());
        let beside = || self.request(span).is_some_and(|it| is_left_out(&it.root));
        let ignored = around || beside();
        if ignored && has_local_parent(span) {
            self.ignore(span.parent_span_id);
        }
        ignored
    }

    /// Returns the session of the request that a span encloses, or is beside of in a request that only another
    /// library's instrumentation sees; the spans around it belong to that session, too.
    pub(in crate::delivery) fn adopter(&mut self, span: &SpanData) -> Option<SessionId> {
        let root = self.request(span).map(|it| it.root);
        let enclosing = [Some(span.span_context.span_id()), root];
        let mut adopters = enclosing.iter().flatten();
        let session = *adopters.find_map(|id| self.adopted.get(id))?;
        if has_local_parent(span) {
            self.adopt(span.parent_span_id, session);
        }
        Some(self.current(session))
    }

    /// Notes a request that has begun outside every session. The requests of one trace are one session.
    pub(in crate::delivery) fn note_request(&mut self, mut root: Root) {
        cut_cow(&mut root.name, NAME_BYTES);
        if !self.requests.contains(&root.trace) {
            let request = Request {
                root: root.span,
                name: root.name.into(),
                started_at: root.started_at,
                session: None,
                ended: None,
            };
            self.requests.insert(root.trace, request);
        }
    }

    /// Notes the name that the root of such a request has at its end: a route is known late.
    pub(in crate::delivery) fn note_name(&mut self, span: &SpanData) {
        let (trace, id) = (span.span_context.trace_id(), span.span_context.span_id());
        let _ = self.named_at_end(trace, id, &span.name);
    }

    /// Notes the end of such a root that is left out; returns the session of its request, where there is one.
    pub(in crate::delivery) fn note_end(&mut self, mut end: RootEnd) -> Option<SessionId> {
        cut_cow(&mut end.name, NAME_BYTES);
        let request = self.named_at_end(end.trace, end.span, &end.name)?;
        let session = request.session;
        if session.is_none() {
            request.ended = Some(end.went);
        }
        session.map(|id| self.current(id))
    }

    /// Returns the end of the request that a span is part of, where its session has not been told of that.
    pub(in crate::delivery) fn take_end(&mut self, span: &SpanData) -> Option<SpanWent> {
        let trace = span.span_context.trace_id();
        self.requests.get_mut(&trace)?.ended.take()
    }

    fn named_at_end(&mut self, trace: TraceId, root: SpanId, name: &str) -> Option<&mut Request> {
        let request = self.requests.get_mut(&trace)?;
        if request.root != root {
            return None;
        }
        if *request.name != *name {
            request.name = name.into();
        }
        Some(request)
    }

    /// Returns the session of the request that a span is part of outside every other session; where it has none yet,
    /// `begin` makes one with its name and start.
    pub(in crate::delivery) fn session_of_request(
        &mut self,
        span: &SpanData,
        begin: impl FnOnce(&Arc<str>, SystemTime) -> SessionId,
    ) -> Option<SessionId> {
        let request = self.requests.get_mut(&span.span_context.trace_id())?;
        let (name, started_at) = (&request.name, request.started_at);
        let session = *request
            .session
            .get_or_insert_with(|| begin(name, started_at));
        Some(self.current(session))
    }

    /// Returns true for the root span of such a request.
    pub(in crate::delivery) fn is_root(&self, span: &SpanData) -> bool {
        let root = self.request(span).map(|it| it.root);
        root == Some(span.span_context.span_id())
    }

    fn request(&self, span: &SpanData) -> Option<&Request> {
        self.requests.get(&span.span_context.trace_id())
    }
}

fn has_local_parent(span: &SpanData) -> bool {
    span.parent_span_id != SpanId::INVALID && !span.parent_span_is_remote
}

/// Returns the session that was noted at the span's start, behind the attributes that the span began with.
pub(in crate::delivery) fn session_of(span: &SpanData) -> Option<SessionId> {
    let mut attributes = span.attributes.iter();
    let noted = attributes.rfind(|attribute| attribute.key.as_str() == SESSION_ID)?;
    match &noted.value {
        Value::String(text) => SessionId::checked_from_correlation_id(text.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_name_of_a_request_takes_more_room_than_a_session_shows() {
        let mut labels = Labels::new();
        let (trace, span) = (TraceId::from(1), SpanId::from(2));
        let name = || "/long".repeat(100_000).into();
        labels.note_request(Root {
            trace,
            span,
            name: name(),
            started_at: SystemTime::UNIX_EPOCH,
        });
        let kept = |labels: &Labels| labels.requests.get(&trace).map(|it| it.name.len());
        let at_start = kept(&labels);
        let went = SpanWent {
            has_failed: false,
            took: Duration::ZERO,
        };
        let end = RootEnd {
            trace,
            span,
            name: name(),
            went,
        };
        assert_eq!(labels.note_end(end), None);
        for kept in [at_start, kept(&labels)] {
            assert!(kept.is_some_and(|it| it < 2 * NAME_BYTES), "{kept:?}");
        }
    }
}
