//! [`Capture`]: what test mode keeps of the calls that would have gone out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{SpanId, Status};
use opentelemetry::{KeyValue, Value as AttributeValue};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Map, Value};

use super::sealed::{Body, Target};
#[cfg(feature = "client")]
use super::test_runs::TestRuns;
use crate::attributes::{ERROR, EVENT_ID, EVENT_TYPE, SESSION_ID};
use crate::enrichment::Enrichment;
use crate::model::id::SessionId;
use crate::model::object::{Bucket, Object, merge};
use crate::model::unflatten::unflatten;
use crate::span::attributes_of;

/// A session, as HoneyHive would show it.
#[derive(Clone)]
#[non_exhaustive]
pub struct CapturedSession {
    /// Its id.
    pub id: SessionId,
    /// Its name; `None` for a session that was linked and not started here.
    pub name: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// What it was asked.
    pub inputs: Map<String, Value>,
    /// What it answered.
    pub outputs: Map<String, Value>,
    /// Facts about it.
    pub metadata: Map<String, Value>,
    /// Numbers about it.
    pub metrics: Map<String, Value>,
    /// What people said of it.
    pub feedback: Map<String, Value>,
    /// Its configuration.
    pub config: Map<String, Value>,
    /// Who it belongs to.
    pub user_properties: Map<String, Value>,
    /// Its error.
    pub error: Option<String>,
    /// When it ended, in Unix milliseconds; `None` while it goes on.
    pub end_time: Option<f64>,
    /// Its length in milliseconds.
    pub duration: Option<f64>,
    /// Its spans, in the order they ended.
    pub events: Vec<CapturedEvent>,
    /// When it began, in Unix milliseconds; of a linked one, when its first span did.
    start_time: Option<f64>,
}

/// What the session is called, how it ended and its tree: a failed assertion should fit a screen.
impl fmt::Debug for CapturedSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("CapturedSession");
        shown.field("id", &format_args!("{}", self.id));
        if let Some(error) = &self.error {
            shown.field("error", error);
        }
        for (name, bucket) in [
            ("inputs", &self.inputs),
            ("outputs", &self.outputs),
            ("metadata", &self.metadata),
        ] {
            if !bucket.is_empty() {
                shown.field(name, &format_args!("{}", Value::Object(bucket.clone())));
            }
        }
        shown.field("has_ended", &self.end_time.is_some());
        shown.field("tree", &format_args!("{}", self.tree()));
        shown.finish_non_exhaustive()
    }
}

/// A span, as HoneyHive would show it.
#[derive(Clone)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// Its name.
    pub name: String,
    /// `model`, `chain` or `tool`.
    pub event_type: String,
    /// What went in.
    pub inputs: Map<String, Value>,
    /// What came out.
    pub outputs: Map<String, Value>,
    /// Facts about it.
    pub metadata: Map<String, Value>,
    /// Numbers about it.
    pub metrics: Map<String, Value>,
    /// What people said of it.
    pub feedback: Map<String, Value>,
    /// Its configuration.
    pub config: Map<String, Value>,
    /// Who it belongs to.
    pub user_properties: Map<String, Value>,
    /// Its attributes as they go over the wire.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Its error: what was set as such, else the status message.
    pub error: Option<String>,
    span: SpanId,
    parent: SpanId,
    start: SystemTime,
}

/// Its name, its type and what it says.
impl fmt::Debug for CapturedEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("CapturedEvent");
        shown.field("name", &self.name);
        shown.field("event_type", &self.event_type);
        if let Some(error) = &self.error {
            shown.field("error", error);
        }
        for bucket in Bucket::ALL {
            let object = bucket_in(&self.attributes, bucket);
            if !object.is_empty() {
                shown.field(bucket.name(), &format_args!("{}", Value::Object(object)));
            }
        }
        shown.finish_non_exhaustive()
    }
}

/// A bucket of a span, from its attributes.
fn bucket_in(attributes: &BTreeMap<String, AttributeValue>, bucket: Bucket) -> Map<String, Value> {
    let prefix = bucket.attribute_prefix();
    let entries = attributes.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(prefix)?.strip_prefix('.')?;
        Some((key, json_of(value)))
    });
    unflatten(entries)
}

fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Bool(flag) => (*flag).into(),
        AttributeValue::I64(number) => (*number).into(),
        AttributeValue::F64(number) => (*number).into(),
        other => other.as_str().into_owned().into(),
    }
}

impl CapturedEvent {
    /// Reads the buckets from the attributes.
    fn fill(&mut self) {
        let of = |bucket| bucket_in(&self.attributes, bucket);
        self.inputs = of(Bucket::Inputs);
        self.outputs = of(Bucket::Outputs);
        self.metadata = of(Bucket::Metadata);
        self.metrics = of(Bucket::Metrics);
        self.feedback = of(Bucket::Feedback);
        self.config = of(Bucket::Config);
        self.user_properties = of(Bucket::UserProperties);
    }

    /// An attribute as text: `event.text("honeyhive_inputs.message")`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.attributes
            .get(key)
            .map(|value| value.as_str().into_owned())
    }
}

impl CapturedSession {
    fn new(id: SessionId) -> Self {
        Self {
            id,
            name: None,
            source: None,
            inputs: Map::new(),
            outputs: Map::new(),
            metadata: Map::new(),
            metrics: Map::new(),
            feedback: Map::new(),
            config: Map::new(),
            user_properties: Map::new(),
            error: None,
            end_time: None,
            duration: None,
            events: Vec::new(),
            start_time: None,
        }
    }

    /// When it began, as far as is known.
    fn began(&self) -> f64 {
        let first = self.events.iter().map(|event| event.start).min();
        let first = first.and_then(|start| start.duration_since(SystemTime::UNIX_EPOCH).ok());
        let first = first.map(|start| start.as_secs_f64() * 1_000.0);
        self.start_time.or(first).unwrap_or(f64::MAX)
    }

    /// The session and its events as indented text, siblings in the order they started.
    #[must_use]
    pub fn tree(&self) -> String {
        let mut text = self.name.clone().unwrap_or_else(|| self.id.to_string());
        let is_root =
            |event: &CapturedEvent| !self.events.iter().any(|other| other.span == event.parent);
        self.branch(&mut text, 1, &is_root);
        text
    }

    fn branch(&self, text: &mut String, depth: usize, belongs: &dyn Fn(&CapturedEvent) -> bool) {
        let mut events: Vec<_> = self.events.iter().filter(|event| belongs(event)).collect();
        events.sort_by_key(|event| event.start);
        for event in events {
            text.push_str(&format!(
                "\n{}{} [{}]",
                "  ".repeat(depth),
                event.name,
                event.event_type
            ));
            self.branch(text, depth + 1, &|child| child.parent == event.span);
        }
    }

    /// Compares [`tree`](Self::tree) with what is expected. The indentation of the expectation may have
    /// any width, as long as deeper means deeper.
    ///
    /// # Panics
    ///
    /// When they differ.
    #[track_caller]
    pub fn assert_tree(&self, expected: &str) {
        assert_eq!(
            self.tree(),
            normalized(expected),
            "the session's tree is not as expected"
        );
    }

    /// The first event with this name.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn event(&self, name: &str) -> &CapturedEvent {
        let found = self.events.iter().find(|event| event.name == name);
        match found {
            Some(event) => event,
            None => panic!("no event is called {name:?}; there are:\n{}", self.tree()),
        }
    }
}

/// Any indentation as two spaces a level.
fn normalized(tree: &str) -> String {
    let mut levels: Vec<usize> = Vec::new();
    let lines = tree
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate();
    let lines: Vec<String> = lines
        .map(|(number, line)| {
            // The first line stands where the literal begins, so its indentation says nothing.
            let width = if number == 0 {
                0
            } else {
                1 + line.len() - line.trim_start().len()
            };
            levels.retain(|level| *level < width);
            levels.push(width);
            format!("{}{}", "  ".repeat(levels.len() - 1), line.trim())
        })
        .collect();
    lines.join("\n")
}

/// Where test-mode deliveries go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Capture {
    store: Arc<Mutex<Store>>,
    #[cfg(feature = "client")]
    runs: TestRuns,
}

#[derive(Debug, Default)]
struct Store {
    order: Vec<SessionId>,
    sessions: BTreeMap<SessionId, CapturedSession>,
}

impl Store {
    /// All sessions, in the order of their starts, with what their events hold.
    fn read(&self) -> Vec<CapturedSession> {
        let sessions = self.order.iter();
        let mut sessions: Vec<_> = sessions
            .filter_map(|id| self.sessions.get(id).cloned())
            .collect();
        sessions.sort_by(|one, other| one.began().total_cmp(&other.began()));
        for event in sessions.iter_mut().flat_map(|it| &mut it.events) {
            event.fill();
        }
        sessions
    }
}

impl Capture {
    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The experiment runs.
    #[cfg(feature = "client")]
    pub(crate) const fn runs(&self) -> &TestRuns {
        &self.runs
    }

    /// All sessions, in the order of their starts.
    pub(crate) fn sessions(&self) -> Vec<CapturedSession> {
        self.lock().read()
    }

    /// Keeps a call.
    pub(super) fn keep(&self, target: Target, body: Body) {
        let mut store = self.lock();
        match (target, body) {
            (Target::Traces, Body::Plain(spans)) => store.add_spans(spans),
            (Target::Start(id), Body::Json(body)) => {
                store.session_mut(id).begin(Fields::of(&body));
            }
            (Target::Update(id), Body::Json(body)) => match store.event_mut(id) {
                Some(event) => event.update(Fields::of(&body)),
                None => store.session_mut(id).update(Fields::of(&body)),
            },
            _ => {}
        }
    }
}

/// The fields of a body.
struct Fields(Object);

impl Fields {
    fn of(body: &[u8]) -> Self {
        Self(serde_json::from_slice(body).unwrap_or_default())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    fn bucket(&mut self, bucket: Bucket) -> Object {
        match self.0.remove(bucket.name()) {
            Some(Value::Object(object)) => object,
            _ => Object::new(),
        }
    }
}

impl CapturedSession {
    fn begin(&mut self, mut start: Fields) {
        self.name = start.text("session_name");
        self.source = start.text("source");
        self.start_time = start.number("start_time");
        self.inputs = start.bucket(Bucket::Inputs);
        self.end_time = None;
        self.duration = None;
        merge(&mut self.outputs, start.bucket(Bucket::Outputs));
        self.add(start);
        let error = self.metadata.get("error").and_then(Value::as_str);
        self.error = error.map(str::to_owned);
    }

    fn update(&mut self, mut update: Fields) {
        let outputs = update.bucket(Bucket::Outputs);
        if !outputs.is_empty() {
            self.outputs = outputs;
        }
        self.add(update);
    }

    fn add(&mut self, mut fields: Fields) {
        self.end_time = fields.number("end_time").or(self.end_time);
        self.duration = fields.number("duration").or(self.duration);
        merge(&mut self.config, fields.bucket(Bucket::Config));
        merge(&mut self.metadata, fields.bucket(Bucket::Metadata));
        merge(&mut self.metrics, fields.bucket(Bucket::Metrics));
        merge(&mut self.feedback, fields.bucket(Bucket::Feedback));
        let user_properties = fields.bucket(Bucket::UserProperties);
        merge(&mut self.user_properties, user_properties);
    }
}

impl Store {
    fn add_spans(&mut self, spans: Vec<SpanData>) {
        for event in spans.into_iter().map(CapturedEvent::of) {
            if let Some(id) = event.text(SESSION_ID) {
                let id = SessionId::from_correlation_id(&id);
                self.session_mut(id).events.push(event);
            }
        }
    }

    fn event_mut(&mut self, id: SessionId) -> Option<&mut CapturedEvent> {
        let id = id.to_string();
        let mut events = self
            .sessions
            .values_mut()
            .flat_map(|session| &mut session.events);
        events.find(|event| event.text(EVENT_ID).as_ref() == Some(&id))
    }

    fn session_mut(&mut self, id: SessionId) -> &mut CapturedSession {
        self.sessions.entry(id).or_insert_with(|| {
            self.order.push(id);
            CapturedSession::new(id)
        })
    }
}

impl CapturedEvent {
    /// What was added by the event's id. Outputs replace those that the event had.
    fn update(&mut self, mut update: Fields) {
        let mut enrichment = Enrichment::new();
        for bucket in Bucket::ALL {
            *enrichment.bucket_mut(bucket) = update.bucket(bucket);
        }
        if !enrichment.bucket_mut(Bucket::Outputs).is_empty() {
            let prefix = Bucket::Outputs.attribute_prefix();
            self.attributes.retain(|key, _| !key.starts_with(prefix));
        }
        attributes_of(enrichment, &mut |KeyValue { key, value, .. }| {
            self.attributes.insert(key.to_string(), value);
        });
    }

    fn of(span: SpanData) -> Self {
        let attributes: BTreeMap<String, AttributeValue> = span
            .attributes
            .into_iter()
            .map(|KeyValue { key, value, .. }| (key.to_string(), value))
            .collect();
        let status = match span.status {
            Status::Error { description } => Some(description.into_owned()),
            _ => None,
        };
        let text = |key: &str| attributes.get(key).map(|value| value.as_str().into_owned());
        Self {
            name: span.name.into_owned(),
            event_type: text(EVENT_TYPE).unwrap_or_default(),
            inputs: Map::new(),
            outputs: Map::new(),
            metadata: Map::new(),
            metrics: Map::new(),
            feedback: Map::new(),
            config: Map::new(),
            user_properties: Map::new(),
            error: text(ERROR).or(status),
            attributes,
            span: span.span_context.span_id(),
            parent: span.parent_span_id,
            start: span.start_time,
        }
    }
}
