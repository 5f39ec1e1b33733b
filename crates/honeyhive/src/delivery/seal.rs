//! [`Sealer`] makes calls of open piles on a thread of its own: the program's redaction hooks run there, and no
//! deadline waits for them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::Value;
use opentelemetry_sdk::trace::SpanData;
use serde::Serialize;

use super::changes::Changes;
use super::counted::Counted;
use super::outgoing;
use super::outputs::Outputs;
use super::plan::{Origin, Plan};
use super::recent::Recent;
use super::redactor::Redactor;
use super::sealed::Body;
use super::sink::Sink;
use crate::event_type::EventType;
use crate::gen_ai;
use crate::model::id::SessionId;
use crate::outbox::{StartRecord, Update};

/// An open pile is to be sealed.
#[derive(Debug)]
pub(super) enum Open {
    Session {
        id: SessionId,
        start: Option<Arc<StartRecord>>,
        updates: Vec<Update>,
    },
    Spans(Vec<OpenSpan>),
}

/// An open span comes with the facts about it that are not on it.
#[derive(Debug)]
pub(super) struct OpenSpan {
    pub(super) span: SpanData,
    pub(super) session: SessionId,
    pub(super) has_children: bool,
    /// The name is that of a session that no start of ours has created.
    pub(super) unstarted: Option<Arc<str>>,
}

impl OpenSpan {
    /// Makes a span of a session, as far as the pile knows.
    pub(super) const fn new(span: SpanData, session: SessionId) -> Self {
        Self {
            span,
            session,
            has_children: false,
            unstarted: None,
        }
    }
}

/// A pile is sealed into the bodies of calls.
#[derive(Debug)]
pub(super) enum Product {
    Session {
        start: Option<Body>,
        /// The update has the data that a start has no place for, or all new data of a session that has begun.
        update: Option<Body>,
    },
    Spans(Body),
    /// The pile cannot be serialised.
    Nothing,
}

/// The sealer has the means of sealing.
#[derive(Debug)]
pub(super) struct Sealer {
    origin: Origin,
    redactor: Arc<Redactor>,
    sink: Sink,
    captures_content: bool,
    outputs: Outputs,
    counted: Counted,
    /// The names of sessions are on spans in this redacted form.
    names: Recent<SessionId, (Arc<str>, Arc<str>)>,
    last_id: Option<(SessionId, Value)>,
}

impl Sealer {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            origin: plan.origin.clone(),
            redactor: Arc::clone(&plan.redactor),
            sink: plan.sink.clone(),
            captures_content: plan.captures_content,
            outputs: Outputs::default(),
            counted: Counted::default(),
            names: Recent::new(),
            last_id: None,
        }
    }

    /// Seals a pile; a panic loses this pile and nothing else.
    pub(super) fn seal(&mut self, open: Open) -> Product {
        let sealed = catch_unwind(AssertUnwindSafe(|| match open {
            Open::Session { id, start, updates } => self.session(id, start.as_deref(), updates),
            Open::Spans(spans) => self.spans(spans),
        }));
        sealed.unwrap_or(Product::Nothing)
    }

    /// Returns true where sealing runs the program's code.
    pub(super) fn has_hook(&self) -> bool {
        self.redactor.has_hook()
    }

    fn session(
        &mut self,
        id: SessionId,
        start: Option<&StartRecord>,
        updates: Vec<Update>,
    ) -> Product {
        let content = start.map(|start| (start, self.redactor.start(start)));
        let mut changes = Changes::of_all(updates, &self.redactor);
        changes.with_earlier_outputs(id, &mut self.outputs);
        let Some((start, content)) = content else {
            let update = json(&changes.into_update());
            return Product::Session {
                start: None,
                update,
            };
        };
        let (now, rest) = changes.split_for_start();
        let update = (!rest.is_empty()).then(|| rest.into_update());
        Product::Session {
            start: json(&now.into_start(start, content, &self.origin)),
            update: update.as_ref().and_then(json),
        }
    }

    fn spans(&mut self, open: Vec<OpenSpan>) -> Product {
        let spans = open.into_iter().map(|it| self.finished(it)).collect();
        self.sink
            .encode(spans)
            .map_or(Product::Nothing, Product::Spans)
    }

    /// Returns the span with everything that HoneyHive shows, and redacted.
    fn finished(&mut self, open: OpenSpan) -> SpanData {
        let mut span = open.span;
        outgoing::tidy(&mut span);
        let event_type = EventType::of_span(&span.attributes, open.has_children);
        self.counted.once(&mut span, event_type);
        if !self.captures_content {
            gen_ai::hide(&mut span);
        }
        outgoing::place(&mut span, event_type, &self.redactor);
        self.redactor.span(&mut span);
        let name = open.unstarted.map(|name| self.masked(open.session, name));
        let id = self.id_of(open.session);
        outgoing::route(&mut span, id, name.as_ref(), &self.origin);
        span
    }

    /// Returns the id as an attribute. Spans of a session mostly come together, and share its text.
    fn id_of(&mut self, session: SessionId) -> Value {
        if let Some((last, id)) = &self.last_id
            && *last == session
        {
            return id.clone();
        }
        let id = Value::from(Arc::<str>::from(session.to_string()));
        self.last_id.insert((session, id)).1.clone()
    }

    /// Returns the redacted name of a session, redacting it once.
    fn masked(&mut self, session: SessionId, name: Arc<str>) -> Arc<str> {
        if let Some((plain, masked)) = self.names.get(&session)
            && *plain == name
        {
            return Arc::clone(masked);
        }
        let masked = self.redactor.session_name(&name);
        self.names.insert(session, (name, Arc::clone(&masked)));
        masked
    }
}

/// Most bodies fit into this many bytes.
const MOST_BODIES: usize = 512;

fn json(body: &impl Serialize) -> Option<Body> {
    let mut bytes = Vec::with_capacity(MOST_BODIES);
    serde_json::to_writer(&mut bytes, body).ok()?;
    Some(Body::Json(bytes.into()))
}
