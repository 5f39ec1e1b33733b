//! Finished spans on their way out: each is given its session and its event type, and waits until
//! HoneyHive has been told of that session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Value;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use super::changes::Origin;
use super::ledger::{Ledger, Tally};
use super::outgoing;
use super::recent::Recent;
use super::redactor::Redactor;
use crate::attributes::SESSION_ID;
use crate::model::id::SessionId;
use crate::outbox::StartRecord;

/// So many spans go in one request, at the most.
const BATCH_SPANS: usize = 512;
/// And about so many bytes before compression.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// A span waits this long for company.
pub(super) const DELAY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) span: SpanData,
    pub(super) tally: Tally,
    since: Instant,
    session: Option<SessionId>,
}

/// The spans that were taken in and not yet sent.
#[derive(Debug)]
pub(crate) struct Spans {
    waiting: VecDeque<Waiting>,
    /// So many of them, from the front, have their session.
    assigned: usize,
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
    redactor: Arc<Redactor>,
}

/// A batch that is ready to be encoded.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) spans: Vec<SpanData>,
    pub(crate) tally: Tally,
    /// Since when the first of them has waited.
    pub(crate) since: Instant,
}

impl Spans {
    pub(crate) fn new(redactor: Arc<Redactor>) -> Self {
        Self {
            waiting: VecDeque::new(),
            assigned: 0,
            parents: Recent::new(),
            adopted: Recent::new(),
            ignored: Recent::new(),
            moved: Recent::new(),
            unstarted: Recent::new(),
            redactor,
        }
    }

    pub(crate) fn take_in(&mut self, span: SpanData, tally: Tally, now: Instant) {
        let session = session_of(&span).map(|id| self.current(id));
        if has_local_parent(&span) {
            self.parents.insert(span.parent_span_id, ());
        }
        self.waiting.push_back(Waiting {
            span,
            tally,
            since: now,
            session,
        });
    }

    /// A span that was current where a request came in belongs to its session, though it began earlier.
    pub(crate) fn adopt(&mut self, span: SpanId, session: SessionId) {
        self.adopted.insert(span, session);
    }

    /// A span that was current where a request came in which is not traced is not sent either.
    pub(crate) fn ignore(&mut self, span: SpanId) {
        self.ignored.insert(span, ());
    }

    /// A session goes on under another id. Only for an id that nobody else can know.
    pub(crate) fn moved(&mut self, start: &StartRecord, to: SessionId) {
        self.moved.insert(start.id, to);
        self.unstarted
            .insert(to, self.redactor.session_name(start.name()));
    }

    /// The start was given up.
    pub(crate) fn unstarted(&mut self, start: &StartRecord) {
        self.unstarted
            .insert(start.id, self.redactor.session_name(start.name()));
    }

    /// The id under which a session goes by now.
    pub(crate) fn current(&self, id: SessionId) -> SessionId {
        self.moved.get(&id).copied().unwrap_or(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_due(&self, now: Instant, ledger: &Ledger) -> bool {
        self.waiting.len() >= BATCH_SPANS
            || self
                .waiting
                .iter()
                .take(BATCH_SPANS)
                .any(|waiting| now >= waiting.since + DELAY || ledger.is_urgent(waiting.tally))
    }

    /// Gives every waiting span its session: its own, else that of the request it encloses, else the one
    /// that `startup` gives. Spans around untraced requests are returned instead.
    pub(crate) fn assign(&mut self, mut startup: impl FnMut(&SpanData) -> SessionId) -> Vec<Tally> {
        let unassigned = self.waiting.split_off(self.assigned);
        let mut ignored = Vec::new();
        for mut waiting in unassigned {
            if waiting.session.is_none() && self.is_ignored(&waiting.span) {
                ignored.push(waiting.tally);
                continue;
            }
            let found = waiting.session.or_else(|| self.adopter(&waiting.span));
            waiting.session = Some(found.unwrap_or_else(|| startup(&waiting.span)));
            self.waiting.push_back(waiting);
        }
        self.assigned = self.waiting.len();
        ignored
    }

    fn is_ignored(&mut self, span: &SpanData) -> bool {
        let id = span.span_context.span_id();
        let ignored = self.ignored.contains(&id) && !self.adopted.contains(&id);
        if ignored && has_local_parent(span) {
            self.ignore(span.parent_span_id);
        }
        ignored
    }

    /// The session of the request that a span encloses; what encloses the span belongs to it, too.
    fn adopter(&mut self, span: &SpanData) -> Option<SessionId> {
        let session = *self.adopted.get(&span.span_context.span_id())?;
        if has_local_parent(span) {
            self.adopt(span.parent_span_id, session);
        }
        Some(self.current(session))
    }

    /// Takes those out that have their session, wherever it has moved meanwhile, and are asked for.
    pub(crate) fn take_out(
        &mut self,
        mut is_asked_for: impl FnMut(&SpanData, SessionId) -> bool,
    ) -> Vec<(SessionId, Waiting)> {
        let mut taken = Vec::new();
        let mut kept = VecDeque::with_capacity(self.waiting.len());
        for waiting in self.waiting.drain(..self.assigned) {
            match waiting
                .session
                .map(|id| self.moved.get(&id).copied().unwrap_or(id))
            {
                Some(id) if is_asked_for(&waiting.span, id) => taken.push((id, waiting)),
                _ => kept.push_back(waiting),
            }
        }
        self.assigned = kept.len();
        kept.append(&mut self.waiting);
        self.waiting = kept;
        taken
    }

    /// A span that was taken out before, so it has its session.
    pub(crate) fn take_back(&mut self, waiting: Waiting) {
        self.waiting.insert(self.assigned, waiting);
        self.assigned += 1;
    }

    /// The next batch: the oldest spans with a session that is not still waiting for its start.
    pub(crate) fn next_batch(
        &mut self,
        origin: &Origin,
        ledger: &mut Ledger,
        start_is_pending: impl Fn(SessionId) -> bool,
    ) -> Option<Batch> {
        let mut batch = Batch {
            spans: Vec::new(),
            tally: Tally::NONE,
            since: self.oldest()?,
        };
        // In place: what waits may be all that there is room for.
        let mut kept = Vec::new();
        while let Some(waiting) = self.waiting.pop_front() {
            let session = waiting.session.map(|id| self.current(id));
            let Some(session) = session.filter(|id| !start_is_pending(*id)) else {
                kept.push(waiting);
                continue;
            };
            batch.tally = ledger.merge(batch.tally, waiting.tally);
            batch
                .spans
                .push(self.finished(waiting.span, session, origin));
            if batch.spans.len() >= BATCH_SPANS || batch.tally.bytes() >= BATCH_BYTES {
                break;
            }
        }
        // Those that were passed over go back to the front; the rest stays where it is, however much it is.
        while let Some(waiting) = kept.pop() {
            self.waiting.push_front(waiting);
        }
        self.assigned -= batch.spans.len();
        (!batch.spans.is_empty()).then_some(batch)
    }

    /// Since when the first of them has waited.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.since)
    }

    /// Gives the oldest span up, to make room.
    pub(super) fn evict(&mut self) -> Option<Tally> {
        let evicted = self.waiting.pop_front()?;
        self.assigned = self.assigned.saturating_sub(1);
        Some(evicted.tally)
    }

    /// The span with all that HoneyHive wants to see on it, and nothing that nobody should see.
    fn finished(&self, mut span: SpanData, session: SessionId, origin: &Origin) -> SpanData {
        outgoing::arrange(&mut span);
        let span_id = span.span_context.span_id();
        let has_children = self.parents.contains(&span_id) || self.adopted.contains(&span_id);
        outgoing::set_type(&mut span, has_children);
        self.redactor.span(&mut span);
        let unstarted = self.unstarted.get(&session);
        outgoing::route(&mut span, session, unstarted, origin);
        span
    }
}

fn has_local_parent(span: &SpanData) -> bool {
    span.parent_span_id != SpanId::INVALID && !span.parent_span_is_remote
}

/// The session that was noted at the start, after whatever the span began with.
pub(super) fn session_of(span: &SpanData) -> Option<SessionId> {
    let mut attributes = span.attributes.iter();
    let noted = attributes.rfind(|attribute| attribute.key.as_str() == SESSION_ID)?;
    match &noted.value {
        Value::String(text) => SessionId::checked_from_correlation_id(text.as_str()),
        _ => None,
    }
}
