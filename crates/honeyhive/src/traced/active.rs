//! [`Active`] is the span of a traced function while it runs.

use std::any::Any;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};

use crate::attributes::ERROR;
use crate::context;
use crate::model::text::bounded;
use crate::outbox::Outbox;
use crate::panics::panic_message;

/// The value keeps the span running: the span ends when the value is dropped.
#[derive(Debug)]
pub struct Active {
    pub(super) cx: Context,
    pub(super) outbox: Arc<Outbox>,
}

// A context is only ever replaced as a whole, so no panic leaves one half-written. Without these an
// `async fn` would lose the two traits with the attribute.
impl UnwindSafe for Active {}
impl RefUnwindSafe for Active {}

impl Drop for Active {
    fn drop(&mut self) {
        self.cx.span().end();
    }
}

type Payload = Box<dyn Any + Send>;

impl Active {
    /// Runs `f` with the span current. A panic comes back as a value, since the span has to know it.
    pub(super) fn enter<T>(&self, f: impl FnOnce() -> T) -> Result<T, Payload> {
        let _guard = context::attach(self.cx.clone());
        catch_unwind(AssertUnwindSafe(f))
    }

    #[inline(never)]
    pub(super) fn run<T>(self, body: impl FnOnce() -> T) -> (T, Option<Self>) {
        match self.enter(body) {
            Ok(output) => (output, Some(self)),
            Err(payload) => self.panic(payload),
        }
    }

    pub(super) fn error(&self, text: String) {
        let span = self.cx.span();
        span.set_status(Status::error(text.clone()));
        span.set_attribute(KeyValue::new(ERROR, text));
    }

    /// Ends the span with the panic and lets it go on.
    pub(super) fn panic(self, payload: Payload) -> ! {
        let message = panic_message(payload.as_ref());
        self.error(message.map_or_else(
            || "panicked".to_owned(),
            |message| bounded(format_args!("panicked: {message}")),
        ));
        drop(self);
        resume_unwind(payload)
    }

    pub(super) fn mark_cancelled(&self) {
        let cancelled = KeyValue::new("honeyhive_metadata.cancelled", true);
        self.cx.span().set_attribute(cancelled);
    }
}
