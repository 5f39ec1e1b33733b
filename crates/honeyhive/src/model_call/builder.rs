//! [`ModelCallBuilder`] describes a call before it is sent; [`HoneyHiveTracer::model_call`] makes one.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue, StringValue};
use serde::Serialize;
use serde_json::{Value, json};

use super::attributes::Writer;
use super::call::ModelCall;
use super::keys::shared;
use super::operation::Operation;
use super::shared::{Inner, Place};
use crate::context;
use crate::enrichment::Enrichment;
use crate::log::{CallSite, Once};
use crate::model::json::to_json;
use crate::model_span::{self, By, Target};
use crate::span::{self, attributes_of};
use crate::stream::Asked;
use crate::tracer::HoneyHiveTracer;

impl HoneyHiveTracer {
    /// Begins the record of a call of a language model, for any client (feature `model-calls`); see
    /// [`model_call`](crate::model_call) for the contents of its event.
    ///
    /// `provider` is a name of OpenTelemetry's conventions where there is one (`openai`, `anthropic`, `gcp.gemini`,
    /// `mistral_ai`, …), `model` the requested model.
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
        provider: impl AsRef<str>,
        model: impl AsRef<str>,
    ) -> ModelCallBuilder {
        ModelCallBuilder {
            tracer: self.clone(),
            provider: shared(provider.as_ref()),
            model: Some(model.as_ref())
                .filter(|it| !it.is_empty())
                .map(Arc::from),
            operation: Operation::default(),
            hides_content: !self.captures_content(),
            by: By::Program,
            asked: Asked::default(),
            messages: Value::Null,
            parameters: None,
        }
    }
}

/// The builder describes a call of a model that has not been sent yet; it comes from [`HoneyHiveTracer::model_call`].
#[must_use = "a call begins with `.start()`"]
pub struct ModelCallBuilder {
    tracer: HoneyHiveTracer,
    provider: StringValue,
    model: Option<Arc<str>>,
    operation: Operation,
    hides_content: bool,
    by: By,
    asked: Asked,
    messages: Value,
    parameters: Option<Box<Enrichment>>,
}

/// Shows the provider and the model, but no content: content does not belong in a log.
impl fmt::Debug for ModelCallBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ModelCallBuilder")
            .field("provider", &self.provider.as_str())
            .field("model", &self.model.as_deref().unwrap_or_default())
            .finish_non_exhaustive()
    }
}

impl ModelCallBuilder {
    /// Sets the operation that the model is asked for (default [`Operation::Chat`]).
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = operation;
        self
    }

    /// Makes the call an embedding: the model turns texts into vectors.
    pub fn embeddings(self) -> Self {
        self.operation(Operation::Embeddings)
    }

    /// Sets the conversation so far: a list of messages in the format of any API, as it is sent. Texts to embed are a
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

    /// Sets the parameters of the call (`temperature`, `max_tokens`, …): anything that serialises to an object.
    pub fn parameters(mut self, map: impl Serialize) -> Self {
        let mut parameters = Enrichment::new().config(map);
        self.tracer
            .outbox()
            .count_refused(parameters.refused_count());
        parameters.forget_refused();
        self.parameters.get_or_insert_default().merge(parameters);
        self
    }

    /// Reads everything from the JSON body of the request: model, messages, settings, names of the tools.
    pub fn request(mut self, body: impl AsRef<[u8]>) -> Self {
        self.asked = Asked::read(body.as_ref(), self.hides_content);
        self
    }

    /// Sets whether the texts of the call are sent. With `false` no text of the call is held or sent, neither prompt
    /// nor answer: only lengths, the names of tools, tokens and reasons. A tracer that [captures
    /// none](HoneyHiveTracer::captures_content) turns it off for every call. A [`request`](Self::request) that was read
    /// without its texts has none.
    pub fn capture_content(mut self, captures: bool) -> Self {
        self.hides_content = !(captures && self.tracer.captures_content());
        self
    }

    /// Notes that a client's middleware records the call, unless an outer layer does.
    #[doc(hidden)]
    #[inline]
    pub fn by_middleware(mut self) -> Self {
        self.by = By::Middleware;
        self
    }

    /// Starts the call, in the session that is current here: as the current model span, if that is not filled yet, else
    /// as a span of its own.
    #[must_use = "the call ends when this is dropped"]
    #[track_caller]
    pub fn start(mut self) -> ModelCall {
        let cx = context::current();
        let outbox = Arc::clone(self.tracer.outbox());
        let (by, hides_content) = (self.by, self.hides_content);
        let place = match model_span::take(&cx, by) {
            Target::Nothing => Place::Nowhere(cx),
            Target::Fill(span) => {
                let (_, attributes) = self.describe();
                let filled = attributes.into_iter().map(model_span::filled);
                span.span().set_attributes(filled);
                Place::Filled { span, scope: cx }
            }
            Target::Own => self.open(cx, CallSite::here()),
        };
        ModelCall::new(Inner::new(outbox, place, by, self.operation, hides_content))
    }

    fn open(&mut self, cx: Context, site: CallSite) -> Place {
        // Nothing is recorded while the thread ends.
        let Some(maker) = self.tracer.maker().filter(|_| context::is_open()) else {
            return Place::Nowhere(cx);
        };
        let operation = self.operation;
        let (model, attributes) = self.describe();
        let name = name_of(operation, &model);
        Place::Own(span::start_call(&maker, name, attributes, &cx, site))
    }

    /// Returns the model, and the attributes of the request.
    fn describe(&mut self) -> (Arc<str>, Vec<KeyValue>) {
        let asked = &mut self.asked;
        if !self.messages.is_null() {
            let body = match &self.messages {
                Value::String(_) => json!({"input": self.messages}),
                _ => json!({"messages": self.messages, "input": texts(&self.messages)}),
            };
            asked.add_body(body.to_string().as_bytes(), self.hides_content);
        }
        let hidden = self.hides_content.then(|| asked.hide());
        if self.operation == Operation::Chat {
            asked.ask_texts();
        }
        let model = self.model.take().or_else(|| asked.model.take());
        let model = model.unwrap_or_default();
        let mut writer = Writer(std::mem::take(&mut asked.attributes));
        writer.called(self.operation, self.provider.clone(), &model);
        writer.asked(asked, hidden);
        if let Some(parameters) = self.parameters.take() {
            attributes_of(*parameters, &mut |it| writer.0.push(it));
        }
        (model, writer.0)
    }
}

/// Returns a span's name such as `chat gpt-x`.
fn name_of(operation: Operation, model: &str) -> Cow<'static, str> {
    let operation = operation.as_str();
    if model.is_empty() {
        return operation.into();
    }
    let mut name = String::with_capacity(operation.len() + 1 + model.len());
    name.push_str(operation);
    name.push(' ');
    name.push_str(model);
    name.into()
}

/// Returns a list of texts as such: it is no list of messages.
fn texts(messages: &Value) -> Value {
    match messages {
        Value::Array(items) if items.iter().all(Value::is_string) => messages.clone(),
        _ => Value::Null,
    }
}
