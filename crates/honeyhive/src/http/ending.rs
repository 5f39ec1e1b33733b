//! How a request ends: one update of its session, and the end of its span where it has one.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::Inner;
use crate::attributes::ERROR;
use crate::config::SessionTransport;
use crate::incoming::Scope;
use crate::outbox::{Outcome, SessionEnd, Update};
use crate::session::Session;

/// What is needed to end the session.
pub(super) struct Active {
    pub(super) instrumentation: Arc<Inner>,
    pub(super) session: Session,
    pub(super) began: Instant,
    pub(super) is_head: bool,
}

/// How an answer ended.
pub(super) struct Ending {
    pub(super) at: Instant,
    pub(super) outcome: Outcome,
    pub(super) status_code: u16,
    pub(super) error: Option<String>,
    pub(super) grpc_status: Option<i32>,
    pub(super) first_byte: Option<Instant>,
    pub(super) response_bytes: Option<u64>,
}

impl Ending {
    pub(super) fn before_head(outcome: Outcome, status_code: u16, error: Option<String>) -> Self {
        Self {
            at: Instant::now(),
            outcome,
            status_code,
            error,
            grpc_status: None,
            first_byte: None,
            response_bytes: None,
        }
    }
}

impl Active {
    #[inline]
    pub(super) fn end(self, scope: &Scope, ending: Ending) {
        if self.instrumentation.request_span
            && let Some(cx) = scope.context()
        {
            end_request_span(cx, &ending);
        }
        if self.instrumentation.tracer.session_transport() == SessionTransport::Otlp {
            self.session.has_ended();
        } else {
            self.update(ending);
        }
        self.session.start.set_ended();
    }

    #[inline]
    fn update(&self, ending: Ending) {
        let duration = ending.at.saturating_duration_since(self.began);
        self.session.update(Update::End(SessionEnd {
            ended_at: self.session.start.started_at + duration,
            duration,
            outcome: ending.outcome,
            status_code: Some(ending.status_code),
            grpc_status: ending.grpc_status,
            time_to_first_byte: ending.first_byte.map(|first| {
                // A short answer has both at once.
                if first == ending.at {
                    duration
                } else {
                    first.saturating_duration_since(self.began)
                }
            }),
            response_bytes: ending.response_bytes,
            error: ending.error,
            whole_session: self.session.is_whole(),
        }));
    }
}

fn end_request_span(cx: &Context, ending: &Ending) {
    let span = cx.span();
    span.set_attribute(KeyValue::new(
        "honeyhive_outputs.status_code",
        i64::from(ending.status_code),
    ));
    span.set_attribute(KeyValue::new(
        "honeyhive_metadata.outcome",
        ending.outcome.name(),
    ));
    if let Some(status) = ending.grpc_status {
        span.set_attribute(KeyValue::new(
            "honeyhive_outputs.grpc_status",
            i64::from(status),
        ));
    }
    if let Some(error) = &ending.error {
        span.set_attribute(KeyValue::new(ERROR, error.clone()));
        span.set_status(Status::error(error.clone()));
    }
    span.end();
}
