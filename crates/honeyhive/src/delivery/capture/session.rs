//! [`CapturedSession`] shows a session in test mode, with its tree.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::event::CapturedEvent;
use super::fields::Fields;
use crate::model::id::SessionId;
use crate::model::object::{Bucket, merge};

/// A captured session is as HoneyHive would show it.
///
/// ```
/// let (tracer, captured) = honeyhive::testing::tracer();
/// let chat = tracer.create_session("chat");
/// chat.outputs(honeyhive::json!({"answer": 42}));
///
/// let session = captured.session_named("chat");
/// assert_eq!(session.id, chat.id());
/// assert_eq!(session.outputs["answer"], 42);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct CapturedSession {
    /// The session has this id.
    pub id: SessionId,
    /// The session's name is `None` where it was linked and not started here.
    pub name: Option<String>,
    /// The source tells where the session comes from, such as `production`.
    pub source: Option<String>,
    /// The session has these inputs.
    pub inputs: Map<String, Value>,
    /// The session has these outputs.
    pub outputs: Map<String, Value>,
    /// The metadata holds facts about the session.
    pub metadata: Map<String, Value>,
    /// The metrics hold numbers about the session.
    pub metrics: Map<String, Value>,
    /// The feedback holds what people said.
    pub feedback: Map<String, Value>,
    /// The config holds the configuration of the session.
    pub config: Map<String, Value>,
    /// The user properties tell whom the session belongs to.
    pub user_properties: Map<String, Value>,
    /// The error says why the session failed.
    pub error: Option<String>,
    /// The session's end is in Unix milliseconds; `None` while it goes on.
    pub end_time: Option<f64>,
    /// The session's length is in milliseconds.
    pub duration: Option<f64>,
    /// The session's spans are in the order in which they ended.
    pub events: Vec<CapturedEvent>,
    /// The session's start is in Unix milliseconds; for a linked one, it is the start of the first span.
    start_time: Option<f64>,
}

/// Shows the name, the end and the tree: a failed assertion should fit a screen.
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

impl CapturedSession {
    pub(super) fn new(id: SessionId) -> Self {
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

    /// Returns the session's start, as far as it is known.
    pub(super) fn began(&self) -> f64 {
        let first = self.events.iter().map(|event| event.start).min();
        let first = first.and_then(|start| start.duration_since(SystemTime::UNIX_EPOCH).ok());
        let first = first.map(|start| start.as_secs_f64() * 1_000.0);
        self.start_time.or(first).unwrap_or(f64::MAX)
    }

    /// Returns the session and its events as indented text, siblings in the order they started.
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

    /// Compares [`tree`](Self::tree) with an expectation, whose indentation may have any width, as long as deeper means
    /// deeper.
    ///
    /// # Panics
    ///
    /// The call panics where they differ, and shows both.
    #[track_caller]
    pub fn assert_tree(&self, expected: &str) {
        let (recorded, expected) = (self.tree(), normalized(expected));
        let same = recorded.lines().zip(expected.lines());
        let same = same.take_while(|(one, other)| one == other).count();
        assert!(
            recorded == expected,
            "the session's tree is not as expected from line {} on\n\nexpected:\n{expected}\n\nrecorded:\n{recorded}\n",
            same + 1
        );
    }

    /// Returns the first event with this name.
    ///
    /// # Panics
    ///
    /// The call panics where there is no such event.
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

/// Returns a tree with any indentation as two spaces a level.
fn normalized(tree: &str) -> String {
    let mut levels: Vec<usize> = Vec::new();
    let lines = tree
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate();
    let lines: Vec<String> = lines
        .map(|(number, line)| {
            // The first line begins where the literal does, so its indentation does not count.
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

impl CapturedSession {
    pub(super) fn begin(&mut self, mut start: Fields) {
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

    pub(super) fn update(&mut self, mut update: Fields) {
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
