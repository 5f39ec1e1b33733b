//! [`ModelCallBuilder`], and [`HoneyHiveTracer::model_call`].

use std::fmt;

use opentelemetry::trace::TraceContextExt as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::attributes::Writer;
use super::call::ModelCall;
use super::operation::Operation;
use super::shared::{Inner, Place};
use crate::context;
use crate::enrichment::Enrichment;
use crate::log::{CallSite, Once};
use crate::model::json::to_json;
use crate::model_span::{self, By, Target};
use crate::span::attributes_of;
use crate::stream::{Asked, Message};
use crate::tracer::HoneyHiveTracer;

impl HoneyHiveTracer {
    /// Begins the record of a call of a language model, for any client (feature `model-calls`); see
    /// [`model_call`](crate::model_call) for what an event says.
    ///
    /// `provider` is a name of OpenTelemetry's conventions where there is one (`openai`, `anthropic`,
    /// `gcp.gemini`, `mistral_ai`, …), `model` the one that is asked for.
    ///
    /// ```
    /// use honeyhive::json;
    ///
    /// # async fn send(_: &str) -> Result<String, std::io::Error> { Ok(r#"{"content":[{"type":"text","text":"42"}],"type":"message"}"#.into()) }
    /// # async fn example(tracer: honeyhive::HoneyHiveTracer) -> Result<(), std::io::Error> {
    /// let call = tracer
    ///     .model_call("anthropic", "claude-x")
    ///     .messages(json!([{"role": "user", "content": "6 * 7?"}]))
    ///     .parameters(json!({"max_tokens": 100}))
    ///     .start();
    /// let body = call.scope(send("…")).await?; // an error drops the call: `call.error(..)` says which
    /// call.reply_bytes(&body); // the JSON that the provider has answered
    /// # Ok(())
    /// # }
    /// ```
    pub fn model_call(
        &self,
        provider: impl Into<String>,
        model: impl Into<String>,
    ) -> ModelCallBuilder {
        ModelCallBuilder {
            tracer: self.clone(),
            provider: provider.into(),
            model: model.into(),
            operation: Operation::default(),
            hides_content: !self.captures_content(),
            by: By::Hand,
            body: None,
            messages: Value::Null,
            parameters: Enrichment::new(),
        }
    }
}

/// A call of a model that has not been sent yet, from [`HoneyHiveTracer::model_call`].
#[must_use = "a call begins with `.start()`"]
pub struct ModelCallBuilder {
    tracer: HoneyHiveTracer,
    provider: String,
    model: String,
    operation: Operation,
    hides_content: bool,
    by: By,
    body: Option<Vec<u8>>,
    messages: Value,
    parameters: Enrichment,
}

/// Whose model is called: what it is asked is no matter for a log.
impl fmt::Debug for ModelCallBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ModelCallBuilder")
            .field("provider", &self.provider)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl ModelCallBuilder {
    /// What the model is asked to do: [`Operation::Chat`] unless this says otherwise.
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = operation;
        self
    }

    /// The model turns texts into vectors.
    pub fn embeddings(self) -> Self {
        self.operation(Operation::Embeddings)
    }

    /// The conversation so far: a list of messages in the words of any API, as it is sent. Texts to embed are a
    /// list of texts, or one.
    #[track_caller]
    pub fn messages(mut self, messages: impl Serialize) -> Self {
        static TOLD: Once = Once::new();
        if let Ok(messages) = to_json(&messages) {
            self.messages = messages;
        } else {
            self.tracer.outbox().count_refused(1);
            TOLD.warn(format_args!(
                "messages ({}) were left out, because they cannot be written as JSON (`stats().refused` counts \
                 further cases)",
                CallSite::here()
            ));
        }
        self
    }

    /// Settings of the call (`temperature`, `max_tokens`, …): anything that serialises to an object.
    pub fn parameters(mut self, map: impl Serialize) -> Self {
        let mut parameters = Enrichment::new().config(map);
        self.tracer
            .outbox()
            .count_refused(parameters.refused_count());
        parameters.forget_refused();
        self.parameters.merge(parameters);
        self
    }

    /// Reads all of it from the JSON body that is sent: model, messages, settings, names of the tools.
    pub fn request(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Without it no text of the call is held or sent, neither what was asked nor what was said: only lengths, the
    /// names of tools, tokens and reasons. Where the [tracer captures none](HoneyHiveTracer::captures_content), neither
    /// does a call.
    pub fn capture_content(mut self, captures: bool) -> Self {
        self.hides_content = !(captures && self.tracer.captures_content());
        self
    }

    /// The call is seen by a client's middleware, which leaves the record to who is further out.
    #[doc(hidden)]
    pub fn by_middleware(mut self) -> Self {
        self.by = By::Seam;
        self
    }

    /// Starts the call, in the session that is current here: as the model span that is current, where there is one
    /// that nobody has filled yet, else as a span of its own.
    #[must_use = "the call ends when this is dropped"]
    #[track_caller]
    pub fn start(self) -> ModelCall {
        let cx = context::current();
        let outbox = self.tracer.outbox().clone();
        let hides_content = self.hides_content;
        let by = self.by;
        let place = match model_span::take(&cx, by) {
            Target::Nothing => Place::Nowhere(cx),
            Target::Fill(span) => {
                self.describe(true, &mut |attribute| span.span().set_attribute(attribute));
                Place::Filled { span, scope: cx }
            }
            Target::Own => self.open(),
        };
        ModelCall::new(Inner::new(outbox, place, by, hides_content))
    }

    #[track_caller]
    fn open(self) -> Place {
        let (tracer, operation) = (self.tracer.clone(), self.operation);
        let by = self.by;
        // With room for what the answer and the session add.
        let mut attributes = Vec::with_capacity(64);
        let model = self.describe(false, &mut |attribute| attributes.push(attribute));
        let span = match model.as_str() {
            "" => tracer.span(operation.as_str()),
            model => tracer.span([operation.as_str(), " ", model].concat()),
        };
        Place::Own(span.of_call(by, attributes).start())
    }

    /// Says what is asked; returns the model.
    fn describe(self, fills: bool, put: &mut dyn FnMut(opentelemetry::KeyValue)) -> String {
        let mut asked = match &self.body {
            Some(body) => Asked::read(body, self.hides_content),
            None => Asked::default(),
        };
        if !self.messages.is_null() {
            let body = match &self.messages {
                Value::String(_) => json!({"input": self.messages}),
                _ => json!({"messages": self.messages, "input": texts(&self.messages)}),
            };
            let more = Asked::read(body.to_string().as_bytes(), self.hides_content);
            asked.messages.extend(more.messages);
            asked.texts.extend(more.texts);
            asked.left_out += more.left_out;
            asked.bytes += more.bytes;
        }
        if self.operation == Operation::Chat {
            let texts = std::mem::take(&mut asked.texts);
            asked
                .messages
                .extend(texts.into_iter().map(Message::from_user));
        }
        let model = match self.model.is_empty() {
            true => asked.model.take().unwrap_or_default(),
            false => self.model,
        };
        let mut writer = Writer { fills, put };
        writer.called(self.operation, &self.provider, &model);
        writer.asked(asked, self.hides_content);
        if !self.parameters.is_empty() {
            attributes_of(self.parameters, put);
        }
        model
    }
}

/// A list of texts is no list of messages.
fn texts(messages: &Value) -> Value {
    match messages {
        Value::Array(items) if items.iter().all(Value::is_string) => messages.clone(),
        _ => Value::Null,
    }
}
