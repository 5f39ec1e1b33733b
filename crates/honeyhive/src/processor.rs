//! The span processor notes on each span which session it belongs to, and queues the span when it ends.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{Span as _, SpanId, SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::attributes::{SESSION_AUTO_CREATE, SESSION_ID, SESSION_NAME, SOURCE, SUPPRESSED};
use crate::budget::{self, BudgetPassed, Counters};
use crate::context;
use crate::error::FlushError;
use crate::model::id::SessionId;
#[cfg(feature = "model-calls")]
use crate::model_span;
use crate::outbox::wait;
use crate::outbox::{
    Command, Lifeline, Outbox, Record, Reply, Root, RootEnd, SpanWent, StartRecord, fit_span,
};
use crate::propagation::{experiment_in_context, session_in_context};
use crate::session::{Session, SessionTrust, Trusts, current, spent, suppression};
use crate::settings::SessionTransport;
#[cfg(feature = "model-calls")]
use crate::span::late;
use crate::span_filter::Filtering;
use crate::span_ids::SpanIds;
use crate::span_marks::Marks;

/// The processor sends every span of a provider to HoneyHive, in the session that was current where the span started.
///
/// The tracer's own provider has one. Attach another, from
/// [`HoneyHiveTracer::span_processor`](crate::HoneyHiveTracer::span_processor), to a provider that you
/// have already.
///
/// ```
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive::opentelemetry_sdk::trace::SdkTracerProvider;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(tracer.span_processor())
///     .build();
/// # drop(provider);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HoneyHiveSpanProcessor {
    lifeline: Arc<Lifeline>,
    trusts: Arc<Trusts>,
    transport: SessionTransport,
    filtering: Option<Arc<Filtering>>,
    ids: SpanIds,
}

impl HoneyHiveSpanProcessor {
    pub(crate) fn new(
        outbox: Arc<Outbox>,
        transport: SessionTransport,
        trust: SessionTrust,
        filtering: Option<Filtering>,
    ) -> Self {
        Self {
            lifeline: Arc::new(Lifeline::new(outbox)),
            trusts: Arc::new(Trusts::new(trust)),
            filtering: filtering.map(Arc::new),
            transport,
            ids: SpanIds::new(),
        }
    }

    /// Returns the ids of the tracer's own spans.
    pub(crate) const fn ids(&self) -> &SpanIds {
        &self.ids
    }

    /// Removes a parent that HoneyHive never gets: the span of a provider that is none of this processor's. A remote
    /// parent is another process's to send.
    fn settle_parent(&self, span: &mut SpanData) {
        let is_remote = span.parent_span_is_remote;
        if !is_remote && !self.ids.may_come(span.parent_span_id) {
            span.parent_span_id = SpanId::INVALID;
        }
    }

    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        self.lifeline.outbox()
    }

    /// Returns the handle that keeps delivery going.
    #[cfg(feature = "client")]
    pub(crate) const fn lifeline(&self) -> &Arc<Lifeline> {
        &self.lifeline
    }

    pub(crate) fn trusts(&self) -> &Trusts {
        &self.trusts
    }

    /// Returns the session that a remote service has put in the baggage of this context, as far as such ids are
    /// trusted.
    pub(crate) fn session_in_baggage(&self, cx: &Context) -> Option<SessionId> {
        let trusted = |raw: &str| self.trusts().session_or_count(raw, self.outbox());
        session_in_context(cx, trusted)
    }

    #[cfg(feature = "http-server")]
    pub(crate) const fn transport(&self) -> SessionTransport {
        self.transport
    }

    /// Adds the session to a span that lacks it: a provider with a lower limit than ours may have had no room left for
    /// the session of a span that began with many attributes. Where the span ends, its session is usually still
    /// current.
    fn stamp_again(&self, span: &mut SpanData) {
        if span
            .attributes
            .iter()
            .any(|it| it.key.as_str() == SESSION_ID)
        {
            return;
        }
        if let Some(session) = self.session_here() {
            self.stamp(&session.start, |stamp| span.attributes.push(stamp));
        }
    }

    /// Returns the session that is current where a span starts whose parent context has none, such as a library's root
    /// span.
    fn session_here(&self) -> Option<Session> {
        context::map(|here| {
            let current = current::of_tracer(here, self.outbox())?;
            Some(current.session.clone())
        })
        .flatten()
    }

    /// Writes the session onto a span.
    fn stamp(&self, start: &StartRecord, mut put: impl FnMut(KeyValue)) {
        put(KeyValue::new(SESSION_ID, Value::from(start.current_text())));
        if let Some(experiment) = start.experiment() {
            experiment.attributes().for_each(&mut put);
        }
        if let Some(source) = start.facts.as_ref().and_then(|it| it.source.as_ref()) {
            put(KeyValue::new(SOURCE, source.to_string()));
        }
        if self.transport == SessionTransport::Otlp || start.is_left_to_spans() {
            put(KeyValue::new(SESSION_AUTO_CREATE, true));
            put(KeyValue::new(SESSION_NAME, Arc::clone(start.name())));
        }
    }

    fn is_filtered_out(&self, span: &Span) -> bool {
        let Some(filtering) = &self.filtering else {
            return false;
        };
        // The SDK reveals a span's name only in a copy of the whole span.
        let data = span.exported_data();
        data.is_some_and(|data| filtering.started(&data))
    }

    fn is_suppressed(&self, cx: &Context) -> bool {
        suppression::is_suppressed(self.outbox()) || is_in_silent_run(self.outbox(), cx)
    }

    /// Tells whether a span that starts belongs to no session.
    fn is_outside_sessions(&self, cx: &Context) -> bool {
        current::of_tracer(cx, self.outbox()).is_none()
            && !self.is_suppressed(cx)
            && self.session_in_baggage(cx).is_none()
            && self.session_here().is_none()
    }

    /// Notes the root span of a request or a message that no session is around: it becomes a session of its own.
    fn note_root(&self, span: &Span) {
        // The SDK reveals a span's kind only in a copy of the whole span.
        let Some(data) = span.exported_data() else {
            return;
        };
        if is_incoming(&data) {
            self.outbox().push(Record::Root(Box::new(Root {
                trace: data.span_context.trace_id(),
                span: data.span_context.span_id(),
                name: data.name,
                started_at: data.start_time,
            })));
        }
    }

    /// Notes the end of a root span that is left out, which may be that of a request.
    fn note_end_of_root(&self, span: SpanData) {
        let is_root = span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote;
        if is_root && is_incoming(&span) {
            self.outbox().push(Record::RootEnded(Box::new(RootEnd {
                trace: span.span_context.trace_id(),
                span: span.span_context.span_id(),
                went: SpanWent::of(&span),
                name: span.name,
            })));
        }
    }
}

/// Tells whether a span is that of a request or a message, by its kind.
const fn is_incoming(span: &SpanData) -> bool {
    matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer)
}

/// Tells whether a span that starts in this context is the first of its trace in this process.
fn is_root(cx: &Context) -> bool {
    let parent = cx.span();
    let parent = parent.span_context();
    !parent.is_valid() || parent.is_remote()
}

/// Counts a span that has ended, where it is the call of a model.
fn used_by(span: &SpanData, counters: &Counters) -> Vec<BudgetPassed> {
    let Some(used) = budget::of_span(&span.attributes) else {
        return Vec::new();
    };
    let said = span
        .attributes
        .iter()
        .find(|it| it.key.as_str() == SESSION_ID);
    let session = said.map(|it| SessionId::from(&*it.value.as_str()));
    counters.add(session, &used)
}

impl SpanProcessor for HoneyHiveSpanProcessor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        let member = self.outbox().member();
        member.span_started(span.span_context().span_id());
        self.ids.note(span.span_context().span_id());
        if self.is_filtered_out(span) {
            self.outbox().count_filtered_span();
            if is_root(cx) && self.is_outside_sessions(cx) {
                self.note_root(span);
            }
            return span.set_attribute(KeyValue::new(SUPPRESSED, true));
        }
        if let Some(current) = current::of_tracer(cx, self.outbox()) {
            return self.stamp(&current.session.start, |stamp| span.set_attribute(stamp));
        }
        let is_suppressed = self.is_suppressed(cx);
        let sent = || self.session_in_baggage(cx);
        if let Some(id) = (!is_suppressed).then(sent).flatten() {
            span.set_attribute(KeyValue::new(SESSION_ID, id.to_string()));
            span.set_attribute(KeyValue::new(SESSION_AUTO_CREATE, true));
            let experiment = || experiment_in_context(cx);
            if let Some(experiment) = self.trusts().experiment(experiment) {
                experiment
                    .attributes()
                    .for_each(|it| span.set_attribute(it));
            }
        } else if let Some(session) = self.session_here() {
            self.stamp(&session.start, |stamp| span.set_attribute(stamp));
        } else if is_suppressed {
            span.set_attribute(KeyValue::new(SUPPRESSED, true));
        } else if is_root(cx) {
            self.note_root(span);
        }
    }

    fn on_end(&self, mut span: SpanData) {
        let member = self.outbox().member();
        member.span_ended(span.span_context.span_id());
        // Late attributes never count as marks.
        let marks = Marks::of(&span.attributes);
        #[cfg(feature = "model-calls")]
        late::move_to(&mut span.attributes);
        if span.dropped_attributes_count > 0 {
            self.stamp_again(&mut span);
        }
        let filtering = self.filtering.as_ref();
        if marks.is_suppressed {
            if let Some(filtering) = filtering {
                filtering.left_out_ended(span.span_context.span_id());
                self.note_end_of_root(span);
            }
        } else if span.span_context.is_sampled() {
            if let Some(filtering) = filtering {
                filtering.settle(&mut span);
            }
            self.settle_parent(&mut span);
            self.outbox().strays().note(&mut span);
            #[cfg(feature = "model-calls")]
            if marks.is_filled {
                model_span::settle(&mut span);
            }
            spent::count(self.outbox(), |counters| used_by(&span, counters));
            let load = fit_span(&mut span);
            self.outbox().push_span(span, load);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        /// The SDK's own processors have this timeout.
        const TIMEOUT: Duration = Duration::from_secs(5);
        let (reply, answer) = Reply::blocking();
        self.outbox().command(Command::Flush(TIMEOUT, reply));
        let waited = wait::block(&answer, TIMEOUT);
        match self.outbox().flushed(waited, TIMEOUT) {
            Ok(_) => Ok(()),
            Err(FlushError::ShutDown) => Err(OTelSdkError::AlreadyShutdown),
            Err(FlushError::TimedOut { .. }) => Err(OTelSdkError::Timeout(TIMEOUT)),
            Err(error) => Err(OTelSdkError::InternalFailure(error.to_string())),
        }
    }

    /// Requests a flush without waiting for it: the SDK calls this when a provider is dropped, which may be on a
    /// runtime's thread. The tracer owns delivery; its own shutdown waits.
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.outbox().member().forget_spans();
        self.outbox()
            .command(Command::Flush(timeout, Reply::nobody()));
        Ok(())
    }
}

/// Returns whether the span belongs to an offline experiment, which also keeps the recordings of other tracers in its
/// datapoints from leaving.
#[cfg(feature = "evaluate")]
fn is_in_silent_run(outbox: &Outbox, cx: &Context) -> bool {
    !outbox.is_local()
        && (current::is_of_silent_run(cx)
            || context::map(current::is_of_silent_run).unwrap_or(false))
}

/// Returns false: only experiments are silent.
#[cfg(not(feature = "evaluate"))]
const fn is_in_silent_run(_: &Outbox, _: &Context) -> bool {
    false
}
