//! Sessions and spans captured in memory, for your own tests (feature `testing`).
//!
//! ```
//! use honeyhive::{EventType, testing};
//! use serde_json::json;
//!
//! let (tracer, captured) = testing::tracer();
//!
//! let session = tracer.create_session("support-chat");
//! session.in_scope(|| {
//!     let turn = tracer.span("turn").event_type(EventType::Chain).start();
//!     turn.in_scope(|| {
//!         let model = tracer.span("answer").event_type(EventType::Model).start();
//!         model.outputs(json!({"content": "42"}));
//!     });
//! });
//!
//! captured.only_session().assert_tree(
//!     "support-chat
//!        turn [chain]
//!          answer [model]",
//! );
//! # let _ = session;
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, Status};
use opentelemetry::{KeyValue, Value as AttributeValue};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Map, Value};

use crate::HoneyHiveTracer;
use crate::attributes::{ERROR, EVENT_ID, EVENT_TYPE, SESSION_ID};
use crate::delivery::Call;
use crate::enrichment::Enrichment;
use crate::model::id::SessionId;
use crate::model::object::{Bucket, merge};
use crate::span::attributes_of;
use crate::wire::{Answer, UpdateEvent};

/// How long reading waits for the delivery thread. It delivers into memory, so this is never reached.
const SETTLE: Duration = Duration::from_secs(10);

/// A tracer in test mode, and what it records. No key, no network, no environment.
///
/// # Panics
///
/// Where the tracer cannot be built, which only a machine without threads brings about.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that cannot begin should say so")]
pub fn tracer() -> (HoneyHiveTracer, Captured) {
    let capture = Capture::default();
    let tracer = HoneyHiveTracer::builder()
        .isolated()
        .test_mode(true)
        .capture(capture.clone())
        .build()
        .expect("a tracer in test mode needs nothing but a thread");
    let captured = Captured {
        tracer: tracer.clone(),
        capture,
    };
    (tracer, captured)
}

/// What a tracer from [`tracer()`] has recorded. Every reading first waits until all that was recorded so
/// far has arrived.
#[derive(Debug, Clone)]
pub struct Captured {
    tracer: HoneyHiveTracer,
    capture: Capture,
}

impl Captured {
    /// All sessions, in the order they arrived.
    #[must_use]
    pub fn sessions(&self) -> Vec<CapturedSession> {
        self.settle();
        let store = self.capture.lock();
        store
            .order
            .iter()
            .filter_map(|id| store.sessions.get(id).cloned())
            .collect()
    }

    /// One session.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<CapturedSession> {
        self.sessions().into_iter().find(|session| session.id == id)
    }

    /// The one session there is.
    ///
    /// # Panics
    ///
    /// When there are none or several.
    #[must_use]
    #[track_caller]
    pub fn only_session(&self) -> CapturedSession {
        let mut sessions = self.sessions();
        assert_eq!(sessions.len(), 1, "expected one session, got {sessions:#?}");
        sessions.remove(0)
    }

    fn settle(&self) {
        // After a shutdown everything has arrived already.
        let _ = self.tracer.force_flush_blocking(SETTLE);
    }
}

/// A session, as HoneyHive would show it.
#[derive(Debug, Clone)]
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
}

/// A span, as HoneyHive would show it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// Its name.
    pub name: String,
    /// `model`, `chain` or `tool`.
    pub event_type: String,
    /// Its attributes as they go over the wire.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Its error: what was set as such, else the status message.
    pub error: Option<String>,
    span: SpanId,
    parent: SpanId,
    start: SystemTime,
}

impl CapturedEvent {
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
        }
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
pub(crate) struct Capture(Arc<Mutex<Store>>);

#[derive(Debug, Default)]
struct Store {
    order: Vec<SessionId>,
    sessions: BTreeMap<SessionId, CapturedSession>,
}

impl Capture {
    fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn call(&self, call: Call) -> Answer {
        let mut store = self.lock();
        match call {
            Call::Start(body) => {
                let session = store.session_mut(body.session_id);
                session.name = Some(body.session_name);
                session.source = Some(body.source);
                session.inputs = body.inputs;
                let error = body.metadata.get("error").and_then(Value::as_str);
                session.error = error.map(str::to_owned);
                session.end_time = body.end_time;
                session.duration = body.duration;
                merge(&mut session.outputs, body.outputs);
                merge(&mut session.config, body.config);
                merge(&mut session.metadata, body.metadata);
                merge(&mut session.user_properties, body.user_properties);
            }
            Call::Update(id, body) => {
                if let Some(event) = store.event_mut(id) {
                    event.update(*body);
                    return Answer::default();
                }
                let session = store.session_mut(id);
                session.end_time = body.end_time.or(session.end_time);
                session.duration = body.duration.or(session.duration);
                if !body.outputs.is_empty() {
                    session.outputs = body.outputs;
                }
                merge(&mut session.config, body.config);
                merge(&mut session.metadata, body.metadata);
                merge(&mut session.metrics, body.metrics);
                merge(&mut session.feedback, body.feedback);
                merge(&mut session.user_properties, body.user_properties);
            }
        }
        Answer::default()
    }

    pub(crate) fn spans(&self, spans: Vec<SpanData>) -> Answer {
        let mut store = self.lock();
        for span in spans {
            let event = CapturedEvent::of(span);
            if let Some(id) = event.text(SESSION_ID) {
                store
                    .session_mut(SessionId::from_correlation_id(&id))
                    .events
                    .push(event);
            }
        }
        Answer::default()
    }
}

impl Store {
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
    fn update(&mut self, body: UpdateEvent) {
        if !body.outputs.is_empty() {
            let prefix = Bucket::Outputs.attribute_prefix();
            self.attributes.retain(|key, _| !key.starts_with(prefix));
        }
        let mut enrichment = Enrichment::new();
        for (bucket, object) in [
            (Bucket::Metadata, body.metadata),
            (Bucket::Metrics, body.metrics),
            (Bucket::Feedback, body.feedback),
            (Bucket::Outputs, body.outputs),
            (Bucket::Config, body.config),
            (Bucket::UserProperties, body.user_properties),
        ] {
            *enrichment.bucket_mut(bucket) = object;
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
            error: text(ERROR).or(status),
            attributes,
            span: span.span_context.span_id(),
            parent: span.parent_span_id,
            start: span.start_time,
        }
    }
}
