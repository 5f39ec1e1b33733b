//! [`ModelCall`] is a call of a model that is under way.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_core::Stream;
use opentelemetry::KeyValue;
use serde::Serialize;

use super::attributes::Writer;
use super::error_text::ErrorText;
use super::recorder::{RecordedStream, Recorder};
use super::shared::{Inner, UNTOLD};
use crate::attributes::ERROR;
use crate::context::{self, Scoped};
use crate::enrichment::Enrichment;
use crate::model::causes::with_causes;
use crate::model::id::EventId;
use crate::model::json::to_text;
use crate::span::{self, attributes_of};
use crate::stream::{Content, Usage};

/// The call of a model is under way; it comes from [`ModelCallBuilder::start`](super::ModelCallBuilder::start).
///
/// The event ends when this handle is dropped; with a [recorded stream](Self::record_bytes) or a [`Recorder`], when
/// that has ended. Data that is added before the handle is dropped still counts.
#[must_use = "the call ends when this is dropped"]
pub struct ModelCall {
    inner: Arc<Inner>,
}

impl fmt::Debug for ModelCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ModelCall").finish_non_exhaustive()
    }
}

impl ModelCall {
    pub(super) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    #[cfg(all(test, feature = "testing"))]
    pub(super) const fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// Returns the future in the context of the call: an instrumented client then fills this event, and makes none of
    /// its own.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(future, self.inner.scope().clone())
    }

    /// Runs `f` in the context of the call.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = context::attach(self.inner.scope().clone());
        f()
    }

    /// Returns the id of the call's event, for later additions; `None` where the call is not recorded.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        self.inner.span().map(span::name_event)
    }

    /// Returns false where this call is not recorded: without a tracer, or where an outer layer records it.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.inner.span().is_some()
    }

    /// Returns the bytes of the response unchanged: the same items, the same errors, nothing read ahead. Their
    /// contents, in the format of OpenAI, Anthropic, Gemini and others, become the outputs.
    pub fn record_bytes<S, B, E, Kind>(&self, stream: S) -> RecordedStream<S>
    where
        S: Stream<Item = Result<B, E>>,
        B: AsRef<[u8]>,
        E: ErrorText<Kind>,
        Kind: ?Sized,
    {
        RecordedStream::new(stream, self.recorder(None, None, None))
    }

    /// Returns a recorder that takes the bytes of the response one by one, for responses that are no stream.
    /// `content_type` and `content_encoding` are headers of the response.
    pub fn recorder(
        &self,
        status_code: Option<u16>,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> Recorder {
        let is_error = status_code.is_some_and(|status| status >= 400);
        let content = match self.inner.is_transcription() && !is_error {
            true => Content::of_transcript(content_type, content_encoding),
            false => Content::of(content_type, content_encoding),
        };
        let assembler = self.inner.record(status_code, content);
        Recorder::new(Arc::clone(&self.inner), assembler)
    }

    /// Records an event of a stream that your client has parsed already: the chunk as JSON, or a value that serialises
    /// to it. A value that cannot be written as JSON is counted in
    /// [`DeliveryStats::refused`](crate::DeliveryStats::refused).
    pub fn record_json(&self, chunk: impl Serialize) {
        if let Some(json) = self.text_or_count(&chunk) {
            self.inner.take_event(&json);
        }
    }

    /// Records the whole answer of the provider: the response that your client has parsed, or a value that serialises
    /// to its JSON. A value that cannot be written as JSON is counted, as by [`record_json`](Self::record_json).
    pub fn reply(&self, body: impl Serialize) {
        if let Some(json) = self.text_or_count(&body) {
            self.reply_bytes(json);
        }
    }

    /// Returns a value as JSON text; one that cannot be written so is counted.
    fn text_or_count(&self, value: &impl Serialize) -> Option<Vec<u8>> {
        let text = to_text(value).ok();
        if text.is_none() {
            self.inner.outbox().count_refused(1);
        }
        text
    }

    /// Records the whole answer of the provider, as JSON text.
    pub fn reply_bytes(&self, body: impl AsRef<[u8]>) {
        self.inner.take_event(body.as_ref());
        self.inner.note_reply();
    }

    /// Sets the text of the model's answer.
    pub fn answer(&self, text: impl Into<String>) -> &Self {
        let text = text.into();
        if self.inner.hides_content() {
            let bytes = text.len() as i64;
            self.inner
                .say([KeyValue::new("honeyhive_outputs.content_bytes", bytes)]);
        } else {
            self.inner
                .say([KeyValue::new("honeyhive_outputs.content", text)]);
        }
        self.inner
            .say([KeyValue::new("honeyhive_outputs.role", "assistant")]);
        self
    }

    /// Sets the tokens of the prompt, cache included, and of the answer, reasoning included.
    pub fn tokens(&self, input: u64, output: u64) -> &Self {
        let mut usage = Usage::default();
        usage.input = Some(input);
        usage.output = Some(output);
        self.say_usage(&usage)
    }

    /// Sets how many tokens of the prompt came from the cache, and how many were written into it.
    pub fn cached_tokens(&self, read: u64, written: u64) -> &Self {
        let mut usage = Usage::default();
        usage.cache_read = Some(read);
        usage.cache_write = Some(written);
        self.say_usage(&usage)
    }

    fn say_usage(&self, usage: &Usage) -> &Self {
        let mut writer = Writer::with_room(4);
        writer.usage(usage);
        self.inner.say(writer.0);
        self.inner.note_tokens(usage);
        self
    }

    /// Sets the reason for which the model has ended: `stop`, `length`, `tool_calls`, ….
    pub fn finish_reason(&self, reason: impl Into<String>) -> &Self {
        let reason = reason.into();
        self.inner.say([
            KeyValue::new("honeyhive_outputs.finish_reason", reason.clone()),
            KeyValue::new("honeyhive_metadata.finish_reason", reason),
        ]);
        self
    }

    /// Sets the cost of the call in US dollars. This crate knows no prices, so the number comes from your provider or
    /// from you.
    pub fn cost(&self, dollars: f64) -> &Self {
        self.inner
            .say([KeyValue::new("honeyhive_metadata.cost", dollars)]);
        self
    }

    /// Marks the call as failed. The text is not sent where content is not captured: providers quote prompts in their
    /// errors.
    pub fn error(&self, text: impl Into<String>) -> &Self {
        let text = match self.inner.hides_content() {
            true => UNTOLD.to_owned(),
            false => text.into(),
        };
        self.inner.say([KeyValue::new(ERROR, text)]);
        self
    }

    /// Marks the call as failed, with this error and its causes.
    pub fn fail(&self, error: &dyn Error) -> &Self {
        self.error(with_causes(error))
    }

    /// Marks the call as failed in sending or reading: without the query of its URL, in which some providers take their
    /// key.
    #[doc(hidden)]
    pub fn fail_to_send(&self, error: &dyn Error, query: Option<&str>) -> &Self {
        let text = with_causes(error);
        self.error(match query {
            Some(query) if !query.is_empty() => text.replace(query, "…"),
            _ => text,
        })
    }

    /// Adds to the event.
    pub fn enrich(&self, enrichment: Enrichment) -> &Self {
        self.inner
            .outbox()
            .count_refused(enrichment.refused_count());
        let mut said = Vec::new();
        attributes_of(enrichment, &mut |attribute| said.push(attribute));
        self.inner.say(said);
        self
    }
}

impl Drop for ModelCall {
    fn drop(&mut self) {
        self.inner.let_go();
    }
}
