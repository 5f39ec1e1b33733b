//! What Python sent, where we differ on purpose, and the comparison.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::hive::Hive;
use crate::meaning::{Meaning, Object, Session, Span};

/// Why something is otherwise here than there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why {
    /// So that this bug of the list in `python_bugs.rs` does not exist here.
    Bug(u8),
    /// For another reason.
    Because(&'static str),
}
pub(crate) use Why::{Because, Bug};

/// Reasons that recur.
pub(crate) const BEGINS_LATE: Why =
    Because("the tracer's own session begins when something first needs it");
pub(crate) const CHILDREN_TELL: Why =
    Because("a span that says nothing of its type is a chain when it has children");
pub(crate) const NAME_TELLS: Why = Because("the event's name is the span's name");
pub(crate) const SESSIONS_SOURCE: Why = Because("a span comes from where its session comes from");
pub(crate) const SPANS_CREATE: Why =
    Because("spans of a session that nobody here has begun create it where HoneyHive lacks it");

/// A capture, and what is different here.
pub(crate) struct Python {
    /// The test that compares it, for when it has to run in a process of its own.
    pub(crate) test: &'static str,
    file: File,
    expected: Meaning,
}

#[derive(Deserialize)]
struct File {
    scenario: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    meaning: Meaning,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

impl Python {
    pub(crate) fn read(capture: &str, test: &'static str) -> Self {
        let path = folder().join(capture).with_extension("json");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let file: File =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(file.scenario, capture);
        Self {
            test,
            expected: file.meaning.clone(),
            file,
        }
    }

    /// The environment that it ran in, but for the keys, which are placeholders.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.file.env.iter();
        let variables = variables.map(|(key, value)| (key.as_str(), value.as_str()));
        variables.filter(|(_, value)| !value.starts_with('<'))
    }

    /// The variables that held keys, and which.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.file.env.iter();
        let variables = variables.map(|(name, value)| (name.as_str(), value.as_str()));
        variables.filter(|(_, value)| value.ends_with("-key>"))
    }

    /// A deliberate difference. It must make one.
    #[track_caller]
    pub(crate) fn but(mut self, why: Why, edit: impl FnOnce(&mut Meaning)) -> Self {
        let before = self.expected.clone();
        edit(&mut self.expected);
        assert!(before != self.expected, "{why:?} changes nothing any more");
        match why {
            Bug(number) => assert!((1..=36).contains(&number), "there are 36 bugs"),
            Because(reason) => assert!(reason.len() > 20, "{reason:?} explains nothing"),
        }
        self
    }

    /// As every traced function: what `@trace` sends twice.
    #[track_caller]
    pub(crate) fn but_traced(self) -> Self {
        self.but(Bug(20), no_attribute("honeyhive_metadata.event_type"))
    }

    /// As every traced function with a name.
    #[track_caller]
    pub(crate) fn but_named(self) -> Self {
        self.but_traced()
            .but(Bug(20), no_attribute("honeyhive_metadata.event_name"))
            .but(NAME_TELLS, no_attribute("honeyhive_event_name"))
    }

    /// Delivers everything and compares, value by value.
    #[track_caller]
    pub(crate) fn compare(self, hive: &Hive) {
        let mut received = hive.received();
        if self.expected.resources.is_none() {
            received.resources = None;
        }
        let (expected, received) = (self.expected.sorted(), received.sorted());
        if expected != received {
            let diff = diff(&pretty(&expected), &pretty(&received));
            panic!("{}: - expected, + received\n{diff}", self.file.scenario);
        }
    }
}

fn pretty(meaning: &Meaning) -> String {
    serde_json::to_string_pretty(meaning).expect("it is JSON")
}

/// The lines that only one of both has, with a little of what is around them.
fn diff(expected: &str, received: &str) -> String {
    let (a, b): (Vec<_>, Vec<_>) = (expected.lines().collect(), received.lines().collect());
    // The length of the longest common part of what is left, from each pair of lines on.
    let mut common = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push(format!("  {}", a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("- {}", a[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", b[j]));
            j += 1;
        }
    }
    let differs = |line: &String| !line.starts_with("  ");
    let near = |at: usize| {
        lines[at.saturating_sub(6)..lines.len().min(at + 4)]
            .iter()
            .any(differs)
    };
    let shown = (0..lines.len()).filter(|at| near(*at));
    shown
        .map(|at| lines[at].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

impl Meaning {
    /// The first session of this name.
    #[track_caller]
    pub(crate) fn session(&mut self, name: &str) -> &mut Session {
        let found = |session: &&mut Session| session.name.as_deref() == Some(name);
        let session = self.sessions.iter_mut().find(found);
        session.unwrap_or_else(|| panic!("no session {name:?}"))
    }

    /// The first span of this name, wherever it is.
    #[track_caller]
    pub(crate) fn span(&mut self, name: &str) -> &mut Span {
        let mut spans = self
            .sessions
            .iter_mut()
            .flat_map(|session| &mut session.spans);
        let span = spans.find_map(|span| find(span, name));
        span.unwrap_or_else(|| panic!("no span {name:?}"))
    }

    /// Takes the first span of this name out, with what is below it.
    #[track_caller]
    pub(crate) fn take_span(&mut self, name: &str) -> Span {
        let spans = self.sessions.iter_mut().map(|session| &mut session.spans);
        let span = spans.into_iter().find_map(|spans| take(spans, name));
        span.unwrap_or_else(|| panic!("no span {name:?}"))
    }

    pub(crate) fn each_span(&mut self, mut edit: impl FnMut(&mut Span)) {
        fn each(spans: &mut [Span], edit: &mut dyn FnMut(&mut Span)) {
            for span in spans {
                edit(span);
                each(&mut span.children, edit);
            }
        }
        for session in &mut self.sessions {
            each(&mut session.spans, &mut edit);
        }
    }

    /// Takes out the spans that do not pass; their children move up.
    pub(crate) fn retain_spans(&mut self, keep: impl Fn(&Span) -> bool) {
        fn retained(spans: Vec<Span>, keep: &dyn Fn(&Span) -> bool) -> Vec<Span> {
            let mut kept = Vec::new();
            for mut span in spans {
                span.children = retained(std::mem::take(&mut span.children), keep);
                if keep(&span) {
                    kept.push(span);
                } else {
                    kept.append(&mut span.children);
                }
            }
            kept
        }
        for session in &mut self.sessions {
            session.spans = retained(std::mem::take(&mut session.spans), &keep);
        }
    }
}

fn find<'s>(span: &'s mut Span, name: &str) -> Option<&'s mut Span> {
    if span.name == name {
        return Some(span);
    }
    span.children.iter_mut().find_map(|child| find(child, name))
}

fn take(spans: &mut Vec<Span>, name: &str) -> Option<Span> {
    if let Some(index) = spans.iter().position(|span| span.name == name) {
        return Some(spans.remove(index));
    }
    spans
        .iter_mut()
        .find_map(|span| take(&mut span.children, name))
}

/// A session that is not there.
pub(crate) fn no_session(name: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        let is_it = |session: &Session| session.name.as_deref() == Some(name);
        let position = meaning.sessions.iter().position(is_it);
        meaning
            .sessions
            .remove(position.unwrap_or_else(|| panic!("no session {name:?}")));
        if meaning.sessions.is_empty() {
            // Nothing is sent then.
            meaning.keys.clear();
        }
    }
}

/// A span that is not there; nor is what is below it.
pub(crate) fn no_span(name: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| drop(meaning.take_span(name))
}

/// An attribute that no span has.
pub(crate) fn no_attribute(key: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| meaning.each_span(|span| drop(span.attributes.remove(key)))
}

/// A field (`type`, `status`, …) that no span has.
pub(crate) fn no_field(key: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| meaning.each_span(|span| drop(span.fields.remove(key)))
}

/// An attribute that one span has.
pub(crate) fn attribute(
    span: &str,
    key: &str,
    value: impl Into<Value>,
) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        drop(
            meaning
                .span(span)
                .attributes
                .insert(key.to_owned(), value.into()),
        )
    }
}

/// A field (`type`, `status`, …) that one span has.
pub(crate) fn field(span: &str, key: &str, value: impl Into<Value>) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        drop(
            meaning
                .span(span)
                .fields
                .insert(key.to_owned(), value.into()),
        )
    }
}

/// What one span says of its session, which nobody here has begun.
pub(crate) fn creates_session(span: &str, name: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        let attributes = &mut meaning.span(span).attributes;
        attributes.insert("honeyhive.session_auto_create".to_owned(), true.into());
        attributes.insert("honeyhive.session_name".to_owned(), name.into());
    }
}

/// The type of one span.
pub(crate) fn typed(span: &str, event_type: &str) -> impl FnOnce(&mut Meaning) {
    field(span, "type", event_type)
}

/// A bucket, or another field, of one session.
pub(crate) fn session_field(session: &str, key: &str, value: Value) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        drop(
            meaning
                .session(session)
                .fields
                .insert(key.to_owned(), value),
        )
    }
}

/// Where a span says that it failed: its status and its error, once.
pub(crate) fn failed(span: &str, error: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        let span = meaning.span(span);
        span.fields.remove("events");
        span.fields
            .insert("status".to_owned(), format!("error: {error}").into());
        span.attributes
            .insert("honeyhive_error".to_owned(), error.into());
    }
}

/// An object of text, for attributes and buckets.
pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}
