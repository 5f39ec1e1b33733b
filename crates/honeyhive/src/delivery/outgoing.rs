//! A span is tidied and routed before it leaves, and its contents go where HoneyHive looks for them.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::plan::Origin;
use super::redactor::Redactor;
use super::scope::change_scope;
use crate::attributes::{
    ERROR, EVENT_TYPE, EXCEPTION_MESSAGE, LEGACY_PROJECT, LEGACY_SESSION_ID, LEGACY_SOURCE,
    PROJECT, RAW_SUFFIX, SESSION_AUTO_CREATE, SESSION_ID, SESSION_NAME, SOURCE,
};
use crate::event_type::EventType;
use crate::gen_ai::{self, shorten_vectors};
use crate::model::finite::{has_nameless, name_numbers};
use crate::model::limits::{self, keep_last_writes};
use crate::model::no_value::is_no_error;
use crate::outbox::strays;
use crate::secret::is_secret_name;

/// Merges contents that the span has several times over, or in several forms.
pub(super) fn tidy(span: &mut SpanData) {
    strays::forget(span);
    // A clock that was set back ends a span before its start.
    span.end_time = span.end_time.max(span.start_time);
    name_all_numbers(span);
    leave_out_no_errors(&mut span.attributes);
    tell_failure(span);
    keep_last_writes(&mut span.attributes);
    take_suggestions(&mut span.attributes);
    shorten_vectors(&mut span.attributes);
}

/// Moves the span's contents to where HoneyHive looks for them, its type among them.
pub(super) fn place(span: &mut SpanData, event_type: EventType, redactor: &Redactor) {
    if gen_ai::is_told(span) {
        redactor.messages(span);
        gen_ai::place(span);
    }
    limits::fit_placed(span);
    set(span, EVENT_TYPE, event_type.as_str().into());
}

fn name_all_numbers(span: &mut SpanData) {
    name_numbers(&mut span.attributes);
    let of_events = span
        .events
        .events
        .iter_mut()
        .flat_map(|it| &mut it.attributes);
    let of_links = span
        .links
        .links
        .iter_mut()
        .flat_map(|it| &mut it.attributes);
    name_numbers(of_events.chain(of_links));
    if has_nameless(span.instrumentation_scope.attributes()) {
        change_scope(span, |mut attributes| {
            name_numbers(&mut attributes);
            attributes
        });
    }
}

/// Removes an `error` attribute whose value means that there is none.
fn leave_out_no_errors(attributes: &mut Vec<KeyValue>) {
    attributes.retain(|it| it.key.as_str() != ERROR || !is_no_error(&it.value));
}

/// Sets the text of a failure that has none: from an exception of the span, else from the type of its error.
fn tell_failure(span: &mut SpanData) {
    let Status::Error { description } = &mut span.status else {
        return;
    };
    if !description.is_empty() || span.attributes.iter().any(|it| it.key.as_str() == ERROR) {
        return;
    }
    let of_events = span
        .events
        .events
        .iter()
        .rev()
        .flat_map(|it| &it.attributes);
    let last = |key| span.attributes.iter().rfind(|it| it.key.as_str() == key);
    let error = of_events
        .chain(&span.attributes)
        .find(|it| it.key.as_str() == EXCEPTION_MESSAGE && !is_no_error(&it.value))
        .or_else(|| last("error.type"));
    let text = error.map_or(Cow::Borrowed("error"), |it| it.value.as_str());
    let text = text.into_owned();
    *description = text.clone().into();
    span.attributes.push(KeyValue::new(ERROR, text));
}

/// Adds the session's id to a span. A session that no start of ours has created gets a name, too.
pub(super) fn route(span: &mut SpanData, id: Value, unstarted: Option<&Arc<str>>, origin: &Origin) {
    set(span, SESSION_ID, id.clone());
    set(span, LEGACY_SESSION_ID, id);
    let source = find(span, SOURCE)
        .cloned()
        .unwrap_or_else(|| origin.source.clone().into());
    set(span, LEGACY_SOURCE, source.clone());
    set(span, SOURCE, source);
    if let Some(project) = &origin.project {
        set(span, PROJECT, project.clone().into());
        set(span, LEGACY_PROJECT, project.clone().into());
    }
    if let Some(name) = unstarted {
        set(span, SESSION_AUTO_CREATE, true.into());
        if find(span, SESSION_NAME).is_none() {
            set(span, SESSION_NAME, Arc::clone(name).into());
        }
    }
}

/// Copies `honeyhive_inputs_raw` to `honeyhive_inputs` where the span has none: the official SDK's convention for
/// instrumentations.
fn take_suggestions(attributes: &mut Vec<KeyValue>) {
    let suggested: Vec<_> = attributes
        .iter()
        .filter_map(|attribute| {
            let name = attribute.key.as_str().strip_suffix(RAW_SUFFIX)?;
            let is_said = || attributes.iter().any(|it| it.key.as_str() == name);
            (!name.is_empty() && !is_said() && !is_secret_name(attribute.key.as_str()))
                .then(|| KeyValue::new(name.to_owned(), attribute.value.clone()))
        })
        .collect();
    attributes.extend(suggested);
}

fn find<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    span.attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == key)
        .map(|attribute| &attribute.value)
}

fn set(span: &mut SpanData, key: &'static str, value: Value) {
    match span
        .attributes
        .iter_mut()
        .find(|attribute| attribute.key.as_str() == key)
    {
        Some(attribute) => attribute.value = value,
        None => span.attributes.push(KeyValue::new(key, value)),
    }
}
