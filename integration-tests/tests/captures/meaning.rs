//! The meaning of captured calls has no ids, no times, and no order of concurrent calls.

use std::collections::{BTreeMap, BTreeSet};

use honeyhive_local::{LocalEvent, LocalServer, LocalSession};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::runs::{self, Run};

pub(crate) type Object = Map<String, Value>;

/// A `Meaning` has the sessions in their final state, with their spans, and the keys of who sent them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meaning {
    /// The keys that requests were made with.
    pub(crate) keys: BTreeSet<String>,
    pub(crate) sessions: Vec<Session>,
    /// The runs of experiments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) runs: Vec<Run>,
    /// The reads, where the capture is about an experiment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reads: Vec<String>,
    /// The resources of the spans, where the capture is about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Vec<Object>>,
}

/// A `Session` has its starts and updates merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Whether the session was not started here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) linked: bool,
    /// `source`, `project`, the seven buckets and the error.
    #[serde(flatten)]
    pub(crate) fields: Object,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) spans: Vec<Span>,
}

/// A `Span` is below its parent where both are in one session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) name: String,
    /// `type`, and what is out of the ordinary: `kind`, `scope`, `parent` (in another session), `source` and
    /// `project` (other than the session's), `status`, `events`, `links`.
    #[serde(flatten)]
    pub(crate) fields: Object,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) attributes: Object,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) children: Vec<Self>,
}

impl Session {
    fn move_error(&mut self) {
        if let Some(error) = self.fields.remove("error") {
            let metadata = self.fields.entry("metadata").or_insert_with(|| json!({}));
            metadata["error"] = error;
        }
    }
}

impl Meaning {
    /// Reads the calls that a server has received. Sessions that were `known` before it began are linked.
    pub(crate) fn received(server: &LocalServer, key: &str, known: &BTreeSet<String>) -> Self {
        let events = Events::of(server);
        let mut sessions: Vec<Session> = Vec::new();
        for local in server.sessions() {
            let mut session = session(&local, known.contains(&local.session_id));
            if !session.linked {
                session.fields.extend(events.project_in(&local.session_id));
            }
            session.spans = events.below(&local.session_id, None, &session);
            sessions.push(session);
        }
        Self {
            keys: keys(server, key),
            sessions,
            runs: runs::runs(server),
            reads: runs::reads(server),
            resources: Some(events.resources()),
        }
    }

    /// Sorts the calls, and drops the fields that the start of a session has no place for: HoneyHive goes by the key
    /// instead of a project, and finds an error in the metadata.
    pub(crate) fn sorted(mut self) -> Self {
        for session in &mut self.sessions {
            sort(&mut session.spans);
            session.fields.remove("project");
            session.move_error();
        }
        self.sessions.sort_by_cached_key(text);
        if let Some(resources) = &mut self.resources {
            resources.sort_by_cached_key(text);
        }
        self
    }
}

fn sort(spans: &mut [Span]) {
    for span in &mut *spans {
        sort(&mut span.children);
    }
    spans.sort_by_cached_key(text);
}

fn text<T: Serialize>(value: &T) -> String {
    json!(value).to_string()
}

fn keys(server: &LocalServer, key: &str) -> BTreeSet<String> {
    let requests = server.requests().into_iter();
    let key = |authorized| if authorized { key } else { "another key" };
    requests
        .map(|request| key(request.authorized).to_owned())
        .collect()
}

/// A request's session has these times.
const TIMES: [&str; 2] = ["latency_ms", "time_to_first_byte_ms"];

fn session(local: &LocalSession, was_known: bool) -> Session {
    let linked = was_known || local.posts == 0;
    let mut fields = Object::new();
    if !linked {
        fields.extend(
            local
                .source
                .clone()
                .map(|it| ("source".to_owned(), it.into())),
        );
    }
    for (bucket, content) in [
        ("inputs", &local.inputs),
        ("outputs", &local.outputs),
        ("metadata", &local.metadata),
        ("metrics", &local.metrics),
        ("feedback", &local.feedback),
        ("config", &local.config),
        ("user_properties", &local.user_properties),
    ] {
        let mut content = content.clone();
        if content.contains_key("outcome") {
            content.retain(|key, _| !TIMES.contains(&key.as_str()));
        }
        if content.contains_key("run_id") {
            content["run_id"] = json!("<uuid>");
        }
        if !content.is_empty() {
            fields.insert(bucket.to_owned(), content.into());
        }
    }
    Session {
        name: local.name.as_deref().filter(|_| !linked).map(|name| {
            nameless(name, &local.session_id).unwrap_or_else(|| runs::nameless(name).to_owned())
        }),
        linked,
        fields,
        spans: Vec::new(),
    }
}

/// Returns a placeholder for a name that is made of the session's id; `None` for any other.
fn nameless(name: &str, id: &str) -> Option<String> {
    let is_of_id = name.strip_prefix("session-") == id.get(..8);
    is_of_id.then(|| "session-<8 hex>".to_owned())
}

/// `Events` has all events of a server, orphans included.
struct Events(Vec<LocalEvent>);

impl Events {
    fn of(server: &LocalServer) -> Self {
        let sessions = server.sessions().into_iter();
        let events = sessions.flat_map(|session| server.events(&session.session_id));
        let events: Vec<_> = events.collect();
        assert!(server.orphans().is_empty(), "{:#?}", server.orphans());
        Self(events)
    }

    fn parent_of(&self, event: &LocalEvent) -> Option<&LocalEvent> {
        let parent = event.parent_span_id.as_ref()?;
        let is_parent =
            |other: &&LocalEvent| other.span_id == *parent && other.trace_id == event.trace_id;
        self.0.iter().find(is_parent)
    }

    /// Returns the spans below one, or the topmost ones, of a session.
    fn below(&self, session_id: &str, span_id: Option<&str>, session: &Session) -> Vec<Span> {
        let spans = self.0.iter().filter(|event| event.session_id == session_id);
        let spans = spans.filter(|event| {
            let parent = self.parent_of(event);
            let parent = parent.filter(|parent| parent.session_id == event.session_id);
            parent.map(|parent| parent.span_id.as_str()) == span_id
        });
        let with_children = |event: &LocalEvent| Span {
            name: event.event_name.clone(),
            fields: self.fields(event, session),
            attributes: attributes(event),
            children: self.below(session_id, Some(&event.span_id), session),
        };
        spans.map(with_children).collect()
    }

    fn fields(&self, event: &LocalEvent, session: &Session) -> Object {
        let mut fields = Object::new();
        let mut say = |key: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (key.to_owned(), value)));
        };
        say(
            "type",
            event.attributes.get("honeyhive_event_type").cloned(),
        );
        say(
            "kind",
            (event.kind != "internal").then(|| json!(event.kind)),
        );
        say(
            "scope",
            (event.scope_name != "honeyhive").then(|| json!(event.scope_name)),
        );
        say("parent", self.parent_elsewhere(event).map(Value::from));
        for (key, value) in [("source", &event.source), ("project", &event.project)] {
            let value = value.as_ref().map(|value| json!(value));
            say(
                key,
                value.filter(|value| session.fields.get(key) != Some(value)),
            );
        }
        say("status", status(event));
        say("events", span_events(event));
        say(
            "links",
            (!event.links.is_empty()).then(|| json!(event.links.len())),
        );
        fields
    }

    /// Returns the project that the spans of a session name.
    fn project_in(&self, session: &str) -> Option<(String, Value)> {
        let mut events = self.0.iter().filter(|event| event.session_id == session);
        let project = events.find_map(|event| event.project.as_ref())?;
        Some(("project".to_owned(), json!(project)))
    }

    fn parent_elsewhere(&self, event: &LocalEvent) -> Option<String> {
        event.parent_span_id.as_ref()?;
        match self.parent_of(event) {
            Some(parent) if parent.session_id == event.session_id => None,
            Some(parent) => Some(parent.event_name.clone()),
            None => Some("<not exported>".to_owned()),
        }
    }

    fn resources(&self) -> Vec<Object> {
        const WHATEVER: [&str; 3] = ["telemetry.", "process.", "service.instance"];
        let mut found = BTreeMap::new();
        for event in &self.0 {
            let mut resource = event.resource.clone();
            resource.retain(|key, _| !WHATEVER.iter().any(|start| key.starts_with(start)));
            found.insert(text(&resource), resource);
        }
        found.into_values().collect()
    }
}

/// Returns the attributes, without those that route the span. Their older twins must say the same.
fn attributes(event: &LocalEvent) -> Object {
    let mut attributes = event.attributes.clone();
    for key in ["session_id", "source", "project"] {
        let ours = attributes.remove(&format!("honeyhive.{key}"));
        let twin = attributes.remove(&format!("traceloop.association.properties.{key}"));
        assert_eq!(ours, twin, "{key} of {}", event.event_name);
    }
    attributes.remove("honeyhive_event_type");
    for value in attributes.values_mut() {
        let Some(text) = value.as_str() else { continue };
        if text.parse::<honeyhive::SessionId>().is_ok() {
            *value = json!("<uuid>");
        } else if let Some(name) = nameless(text, &event.session_id) {
            *value = json!(name);
        }
    }
    attributes
}

fn status(event: &LocalEvent) -> Option<Value> {
    let status = &event.status;
    match (status.code.as_str(), status.message.as_str()) {
        ("unset", _) => None,
        (code, "") => Some(json!(code)),
        (code, message) => Some(json!(format!("{code}: {message}"))),
    }
}

/// Returns exceptions by their message, and a crowd of events by its size.
fn span_events(event: &LocalEvent) -> Option<Value> {
    const CROWD: usize = 20;
    let events = &event.span_events;
    if events.len() > CROWD {
        return Some(json!(events.len()));
    }
    let described = events
        .iter()
        .map(|event| match event.attributes.get("exception.message") {
            Some(message) => json!(format!(
                "exception: {}",
                message.as_str().unwrap_or_default()
            )),
            None => json!({"name": event.name, "attributes": event.attributes}),
        });
    (!events.is_empty()).then(|| described.collect())
}
