//! [`SpanFilter`] leaves spans out, and keeps the tree whole without them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry::{Key, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::{PROBE, TRACER_NAME};

/// The filter selects the spans that go to HoneyHive: those that an `include` matches, or all where there is none,
/// without those that an `exclude` matches.
///
/// A span is checked once, when it starts, by its name, its instrumentation scope and the attributes that it starts
/// with; names and scopes match by their beginning, with case. Spans within one that is left out become children of the
/// span around it, so no event refers to one that is not there. A span that was left out may still be named as a
/// parent: by another service, which gets the current span by `traceparent`, and by a child that starts after its
/// parent and 4,096 other spans that were left out have ended.
///
/// The root span of a request by another instrumentation makes a session where none is around. Left out, the root names
/// the session still, and [sampling](crate::SessionSampling) sees its error and its duration, where anything else of
/// the request is sent.
///
/// The span of a request ([`request_span`](crate::http::ServerInstrumentationBuilder::request_span)) is never left out,
/// since the session's inputs and outputs may be on it; nor is that of the [doctor](crate::doctor())'s probe.
/// [`DeliveryStats::filtered_spans`](crate::DeliveryStats::filtered_spans) counts the spans that are left out.
///
/// ```
/// use honeyhive::SpanFilter;
///
/// let filter = SpanFilter::new()
///     .exclude_scope("h2")
///     .exclude_name("a2a.")
///     .exclude_attribute("db.system", "redis");
/// # let (tracer, captured) = honeyhive::testing::tracer_with(|builder| builder.span_filter(filter));
/// # let root = tracer.span("turn").start();
/// # root.in_scope(|| drop(tracer.span("a2a.send").start()));
/// # drop(root);
/// # assert_eq!(captured.only_session().events.len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a filter is given to `HoneyHiveTracer::builder().span_filter(..)`"]
pub struct SpanFilter {
    include: Vec<Rule>,
    exclude: Vec<Rule>,
}

#[derive(Debug, Clone)]
enum Rule {
    Name(String),
    Scope(String),
    Attribute(Key, Value),
}

impl Rule {
    fn matches(&self, span: &SpanData) -> bool {
        match self {
            Self::Name(prefix) => span.name.starts_with(prefix.as_str()),
            Self::Scope(prefix) => span
                .instrumentation_scope
                .name()
                .starts_with(prefix.as_str()),
            Self::Attribute(key, value) => {
                let mut attributes = span.attributes.iter();
                attributes.any(|it| it.key == *key && it.value == *value)
            }
        }
    }
}

impl SpanFilter {
    /// Returns a filter that leaves nothing out yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes spans whose names begin with this prefix.
    pub fn include_name(mut self, prefix: impl Into<String>) -> Self {
        self.include.push(Rule::Name(prefix.into()));
        self
    }

    /// Takes spans of scopes (tracers' names, `tracing` targets) that begin with this prefix.
    pub fn include_scope(mut self, prefix: impl Into<String>) -> Self {
        self.include.push(Rule::Scope(prefix.into()));
        self
    }

    /// Takes spans that start with this attribute.
    pub fn include_attribute(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        let rule = Rule::Attribute(key.into(), value.into());
        self.include.push(rule);
        self
    }

    /// Leaves out spans whose names begin with this prefix.
    pub fn exclude_name(mut self, prefix: impl Into<String>) -> Self {
        self.exclude.push(Rule::Name(prefix.into()));
        self
    }

    /// Leaves out spans of scopes (tracers' names, `tracing` targets) that begin with this prefix.
    pub fn exclude_scope(mut self, prefix: impl Into<String>) -> Self {
        self.exclude.push(Rule::Scope(prefix.into()));
        self
    }

    /// Leaves out spans that start with this attribute.
    pub fn exclude_attribute(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        let rule = Rule::Attribute(key.into(), value.into());
        self.exclude.push(rule);
        self
    }

    fn leaves_out(&self, span: &SpanData) -> bool {
        let matches = |rules: &[Rule]| rules.iter().any(|rule| rule.matches(span));
        let is_included = self.include.is_empty() || matches(&self.include);
        (!is_included || matches(&self.exclude)) && !is_exempt(span)
    }
}

/// Returns whether a span is that of a request or the doctor's.
fn is_exempt(span: &SpanData) -> bool {
    let is_ours = || span.instrumentation_scope.name() == TRACER_NAME;
    (span.span_kind == SpanKind::Server || span.name == PROBE) && is_ours()
}

/// The state of a filter finds the span that takes the place of a parent that is left out.
#[derive(Debug)]
pub(crate) struct Filtering {
    filter: SpanFilter,
    parents: Mutex<Parents>,
}

/// So many ended spans at the most stay known: a child may start after its parent has ended.
const MOST_ENDED: usize = 4_096;

#[derive(Debug, Default)]
struct Parents {
    /// The map has the nearest recorded span around each span that is left out, `INVALID` where there is none.
    around: HashMap<SpanId, SpanId>,
    /// The keys of `around` whose spans have ended are in order, the oldest first.
    ended: VecDeque<SpanId>,
    /// The map has the recorded parent of each running span that started within one that is left out.
    instead: HashMap<SpanId, SpanId>,
}

impl Filtering {
    /// Returns the state of a filter; `None` for one that leaves nothing out, which then costs nothing.
    pub(crate) fn new(filter: SpanFilter) -> Option<Self> {
        let is_idle = filter.include.is_empty() && filter.exclude.is_empty();
        (!is_idle).then(|| Self {
            filter,
            parents: Mutex::default(),
        })
    }

    /// Returns whether a span that starts is left out.
    pub(crate) fn started(&self, span: &SpanData) -> bool {
        let is_left_out = self.filter.leaves_out(span);
        let id = span.span_context.span_id();
        let mut parents = self.lock();
        let around = parents.around.get(&span.parent_span_id).copied();
        if is_left_out {
            let around = around.unwrap_or(span.parent_span_id);
            parents.around.insert(id, around);
        } else if let Some(around) = around {
            parents.instead.insert(id, around);
        }
        is_left_out
    }

    /// Corrects the parent of a span that ends, where its own is left out.
    pub(crate) fn settle(&self, span: &mut SpanData) {
        let instead = self.lock().instead.remove(&span.span_context.span_id());
        if let Some(parent) = instead {
            span.parent_span_id = parent;
        }
    }

    /// Notes that a span that is left out has ended.
    pub(crate) fn left_out_ended(&self, id: SpanId) {
        let mut parents = self.lock();
        if !parents.around.contains_key(&id) {
            return;
        }
        parents.ended.push_back(id);
        if parents.ended.len() > MOST_ENDED
            && let Some(oldest) = parents.ended.pop_front()
        {
            parents.around.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Parents> {
        self.parents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
