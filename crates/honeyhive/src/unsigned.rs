//! Unsigned numbers in the fields of `tracing` spans. `tracing-opentelemetry` hands them on as text, and a token
//! count that is text is not added up.

use std::cell::RefCell;

use opentelemetry::Value;
use opentelemetry_sdk::trace::SpanData;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::attributes::TRACING_SCOPE;

thread_local! {
    /// Those of the span that is just being closed on this thread.
    static CLOSING: RefCell<Vec<Number>> = const { RefCell::new(Vec::new()) };
}

/// Remembers the unsigned numbers of a span until it is closed.
#[derive(Debug)]
pub(crate) struct Unsigned;

#[derive(Debug, Clone, Copy)]
struct Number {
    field: &'static str,
    value: i64,
}

#[derive(Debug, Default)]
struct Numbers(Vec<Number>);

impl Visit for Numbers {
    fn record_u64(&mut self, field: &Field, value: u64) {
        // A number that the wire has no room for stays text.
        if let Ok(value) = i64::try_from(value) {
            let field = field.name();
            self.0.push(Number { field, value });
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S> Layer<S> for Unsigned
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut numbers = Numbers::default();
        attributes.record(&mut numbers);
        keep(numbers, id, &cx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        let mut numbers = Numbers::default();
        values.record(&mut numbers);
        keep(numbers, id, &cx);
    }

    fn on_close(&self, id: Id, cx: Context<'_, S>) {
        let numbers = cx
            .span(&id)
            .and_then(|span| span.extensions_mut().remove::<Numbers>());
        let numbers = numbers.unwrap_or_default().0;
        // The thread may be ending.
        let _ = CLOSING.try_with(|closing| closing.replace(numbers));
    }
}

fn keep<S>(mut numbers: Numbers, id: &Id, cx: &Context<'_, S>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if numbers.0.is_empty() {
        return;
    }
    if let Some(span) = cx.span(id) {
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Numbers>() {
            Some(kept) => kept.0.append(&mut numbers.0),
            None => extensions.insert(numbers),
        }
    }
}

/// Makes numbers again of the texts of a span that has just been closed.
pub(crate) fn restore(span: &mut SpanData) {
    if span.instrumentation_scope.name() != TRACING_SCOPE {
        return;
    }
    let numbers = CLOSING.try_with(RefCell::take).unwrap_or_default();
    for Number { field, value } in numbers {
        let text = Value::from(value.to_string());
        let mut attributes = span.attributes.iter_mut();
        let found = attributes.find(|it| it.key.as_str() == field && it.value == text);
        if let Some(attribute) = found {
            attribute.value = value.into();
        }
    }
}
