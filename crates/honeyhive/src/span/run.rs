//! [`SpanBuilder::run`] makes a unit of work a span, from its start to its end.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;

use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt as _;

use super::{Failure, Span, SpanBuilder};
use crate::log::CallSite;
use crate::panics::panic_text;

impl SpanBuilder {
    /// Runs a unit of work as this span: it starts with the future, spans in there are its children, and it ends with
    /// the work. An `Err` is the span's error, with its causes; so is a panic, and a future that is dropped.
    ///
    /// The `Err` may be any error, what boxes or wraps one (`Box<dyn Error>`, `anyhow::Error`), or text.
    ///
    /// ```
    /// use honeyhive::json;
    ///
    /// # async fn ask_model(_: &str) -> std::io::Result<String> { Ok(String::new()) }
    /// # async fn example(tracer: honeyhive::HoneyHiveTracer) -> std::io::Result<()> {
    /// let answer = tracer
    ///     .chain("turn")
    ///     .inputs(json!({"message": "hello"}))
    ///     .run(async |span| {
    ///         let answer = ask_model("hello").await?;
    ///         span.outputs(json!({"answer": answer}));
    ///         Ok::<_, std::io::Error>(answer)
    ///     })
    ///     .await?;
    /// # drop(answer);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "trace")]
    #[track_caller]
    pub fn run<F, T, E, Kind>(self, work: F) -> impl Future<Output = Result<T, E>>
    where
        F: AsyncFnOnce(&Span) -> Result<T, E>,
        E: Failure<Kind>,
    {
        let site = CallSite::here();
        async move {
            let span = self.start_at(site);
            // The ending is dropped after the work, and before the span.
            let mut ending = Ending {
                span: &span,
                is_known: false,
            };
            let mut work = pin!(work(&span));
            let output = poll_fn(|task| ending.watch(|| work.as_mut().poll(task))).await;
            ending.end_with(&output);
            output
        }
    }

    /// Runs blocking work as this span: [`run`](Self::run) for what is not async.
    ///
    /// ```
    /// # fn example(tracer: honeyhive::HoneyHiveTracer) -> std::io::Result<()> {
    /// let orders = tracer.tool("read orders").run_blocking(|span| {
    ///     let orders = std::fs::read_to_string("orders.csv")?;
    ///     span.outputs(honeyhive::json!({"bytes": orders.len()}));
    ///     Ok::<_, std::io::Error>(orders)
    /// })?;
    /// # drop(orders);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the work.
    #[track_caller]
    pub fn run_blocking<T, E: Failure<Kind>, Kind>(
        self,
        work: impl FnOnce(&Span) -> Result<T, E>,
    ) -> Result<T, E> {
        let span = self.start_at(CallSite::here());
        let mut ending = Ending {
            span: &span,
            is_known: false,
        };
        let output = ending.watch(|| work(&span));
        ending.end_with(&output);
        output
    }
}

/// The guard marks a span whose work is dropped as cancelled.
struct Ending<'s> {
    span: &'s Span,
    is_known: bool,
}

impl Ending<'_> {
    /// Runs a piece of the work in the span.
    fn watch<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        let piece = || self.span.in_scope(piece);
        // The panic goes on, so its half-done work is never seen.
        catch_unwind(AssertUnwindSafe(piece)).unwrap_or_else(|panic| {
            self.error(panic_text(&*panic));
            resume_unwind(panic)
        })
    }

    fn end_with<T, E: Failure<Kind>, Kind>(&mut self, output: &Result<T, E>) {
        match output {
            Ok(_) => self.is_known = true,
            Err(error) => self.error(error.to_text()),
        }
    }

    fn error(&mut self, text: String) {
        self.is_known = true;
        self.span.error(text);
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.is_known && self.span.is_recorded() {
            let cancelled = KeyValue::new("honeyhive_metadata.cancelled", true);
            self.span.cx.span().set_attribute(cancelled);
            self.error("cancelled".to_owned());
        }
    }
}
