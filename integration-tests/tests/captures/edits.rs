//! Each edit changes what Python sent into what a row says is different here.

use serde_json::Value;

use crate::meaning::{Meaning, Object, Session, Span};

impl Meaning {
    /// Returns the first session of this name.
    #[track_caller]
    pub(crate) fn session(&mut self, name: &str) -> &mut Session {
        let found = |session: &&mut Session| session.name.as_deref() == Some(name);
        let session = self.sessions.iter_mut().find(found);
        session.unwrap_or_else(|| panic!("no session {name:?}"))
    }

    /// Returns the first span of this name, wherever it is.
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

/// Removes a session.
pub(crate) fn no_session(name: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        let is_it = |session: &Session| session.name.as_deref() == Some(name);
        let position = meaning.sessions.iter().position(is_it);
        meaning
            .sessions
            .remove(position.unwrap_or_else(|| panic!("no session {name:?}")));
        if meaning.sessions.is_empty() {
            // Such a capture sends nothing at all.
            meaning.keys.clear();
        }
    }
}

/// Removes a span, with all that is below it.
pub(crate) fn no_span(name: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| drop(meaning.take_span(name))
}

/// Moves a span into a session of its own, which goes by its name.
pub(crate) fn alone(span: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        let span = meaning.take_span(span);
        let source = meaning
            .sessions
            .first()
            .and_then(|it| it.fields.get("source"));
        meaning.sessions.push(Session {
            name: Some(span.name.clone()),
            linked: false,
            fields: source
                .map(|it| ("source".to_owned(), it.clone()))
                .into_iter()
                .collect(),
            spans: vec![span],
        });
        meaning
            .sessions
            .sort_by(|one, other| one.name.cmp(&other.name));
    }
}

/// Removes an attribute from all spans.
pub(crate) fn no_attribute(key: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| meaning.each_span(|span| drop(span.attributes.remove(key)))
}

/// Removes a field (`type`, `status`, …) from all spans.
pub(crate) fn no_field(key: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| meaning.each_span(|span| drop(span.fields.remove(key)))
}

/// Sets an attribute of one span.
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

/// Sets a field (`type`, `status`, …) of one span.
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

/// Lets one span create its session, which nobody here has begun.
pub(crate) fn creates_session(span: &str, name: &str) -> impl FnOnce(&mut Meaning) {
    move |meaning| {
        let attributes = &mut meaning.span(span).attributes;
        attributes.insert("honeyhive.session_auto_create".to_owned(), true.into());
        attributes.insert("honeyhive.session_name".to_owned(), name.into());
    }
}

/// Sets the type of one span.
pub(crate) fn typed(span: &str, event_type: &str) -> impl FnOnce(&mut Meaning) {
    field(span, "type", event_type)
}

/// Sets a bucket, or another field, of one session.
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

/// Makes a span failed: its status and its error, once.
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

/// Returns an object of text, for attributes and buckets.
pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}
