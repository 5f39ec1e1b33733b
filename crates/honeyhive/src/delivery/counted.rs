//! [`Counted`] remembers the spans whose tokens were counted further in, since an agent that says their sum would
//! double it.

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

use super::recent::Recent;
use crate::event_type::EventType;
use crate::gen_ai::{is_usage, said_tokens};

/// The parents of model calls that have stated their tokens are remembered.
#[derive(Debug)]
pub(super) struct Counted(Recent<SpanId, ()>);

impl Default for Counted {
    fn default() -> Self {
        Self(Recent::new())
    }
}

impl Counted {
    /// Removes a span's sum of the calls below it. A child ends before its parent, so it has been counted before.
    pub(super) fn once(&mut self, span: &mut SpanData, event_type: EventType) {
        let is_counted = self.0.contains(&span.span_context.span_id());
        let is_model = event_type == EventType::Model;
        if is_counted && !is_model {
            span.attributes.retain(|it| !is_usage(it));
        }
        if is_counted || is_model && said_tokens(&span.attributes) {
            self.note(span);
        }
    }

    fn note(&mut self, span: &SpanData) {
        // A parent in another process states its sum there.
        if span.parent_span_id != SpanId::INVALID && !span.parent_span_is_remote {
            self.0.insert(span.parent_span_id, ());
        }
    }
}
