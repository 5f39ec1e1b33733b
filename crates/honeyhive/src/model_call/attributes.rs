//! What is known of a call, as the attributes of its span.

use std::time::Duration;

use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

use super::operation::Operation;
use crate::attributes::{ERROR, GEN_AI_OPERATION, MAX_ATTRIBUTES};
use crate::model::flatten::{at_most, flatten};
use crate::model_span;
use crate::stream::{Asked, Message, Reply, Usage};

/// Writes onto a span: its own, or one that is filled as far as the program has not said the same.
pub(super) struct Writer<'a> {
    pub(super) fills: bool,
    pub(super) put: &'a mut dyn FnMut(KeyValue),
}

impl Writer<'_> {
    pub(super) fn put(&mut self, key: impl Into<Key>, value: impl Into<Value>) {
        let attribute = KeyValue::new(key, value);
        (self.put)(match self.fills {
            true => model_span::filled(attribute),
            false => attribute,
        });
    }

    fn put_some(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn put_json(&mut self, key: String, value: serde_json::Value) {
        let fills = self.fills;
        let mut put = at_most(MAX_ATTRIBUTES, |attribute| {
            (self.put)(match fills {
                true => model_span::filled(attribute),
                false => attribute,
            });
        });
        // What is too much for a span is left out.
        let _ = flatten(key.into(), value, &mut put);
    }

    /// Whose model is called, and which.
    pub(super) fn called(&mut self, operation: Operation, provider: &str, model: &str) {
        self.put(GEN_AI_OPERATION, operation.as_str());
        self.put("gen_ai.provider.name", provider.to_owned());
        self.put("honeyhive_config.provider", provider.to_owned());
        if !model.is_empty() {
            self.put("gen_ai.request.model", model.to_owned());
            self.put("honeyhive_config.model", model.to_owned());
        }
    }

    pub(super) fn asked(&mut self, asked: Asked, hides_content: bool) {
        for (name, value) in asked.parameters {
            self.put_json(format!("honeyhive_config.{name}"), value);
        }
        for (index, tool) in asked.tools.into_iter().enumerate() {
            self.put(format!("honeyhive_config.tools.{index}"), tool);
        }
        if asked.left_out > 0 {
            self.put(
                "honeyhive_metadata.messages_left_out",
                asked.left_out as i64,
            );
        }
        if hides_content {
            self.put(
                "honeyhive_metadata.input_messages",
                asked.messages.len() as i64,
            );
            self.put("honeyhive_metadata.input_bytes", asked.bytes as i64);
            return;
        }
        for (index, message) in asked.messages.into_iter().enumerate() {
            self.message(&format!("honeyhive_inputs.chat_history.{index}"), message);
        }
        let texts = asked.texts.len();
        for (index, text) in asked.texts.into_iter().enumerate() {
            match texts {
                1 => self.put("honeyhive_inputs.input", text),
                _ => self.put(format!("honeyhive_inputs.input.{index}"), text),
            }
        }
    }

    fn message(&mut self, key: &str, message: Message) {
        self.put(format!("{key}.role"), message.role);
        if !message.content.is_empty() {
            self.put(format!("{key}.content"), message.content);
        }
        if let Some(id) = message.tool_call_id {
            self.put(format!("{key}.tool_call_id"), id);
        }
        for (index, call) in message.tool_calls.into_iter().enumerate() {
            let key = format!("{key}.tool_calls.{index}");
            if let Some(id) = call.id {
                self.put(format!("{key}.id"), id);
            }
            self.put(format!("{key}.name"), call.name);
            self.put(format!("{key}.arguments"), call.arguments);
        }
    }

    pub(super) fn said(&mut self, reply: &Reply) {
        self.put_json("honeyhive_outputs".to_owned(), reply.outputs().into());
        self.reasons(reply);
        self.put_some("gen_ai.response.model", reply.model.clone());
        self.put_some("honeyhive_metadata.response_model", reply.model.clone());
        self.put_some("gen_ai.response.id", reply.id.clone());
        self.put_some("honeyhive_metadata.response_id", reply.id.clone());
        if reply.left_out > 0 {
            self.put("honeyhive_metadata.left_out", reply.left_out as i64);
        }
        self.usage(&reply.usage);
    }

    fn reasons(&mut self, reply: &Reply) {
        let reasons = reply
            .choices
            .iter()
            .filter_map(|it| it.finish_reason.clone());
        let reasons: Vec<StringValue> = reasons.map(Into::into).collect();
        if let Some(first) = reasons.first() {
            self.put("honeyhive_metadata.finish_reason", first.clone());
            self.put(
                "gen_ai.response.finish_reasons",
                Value::Array(Array::String(reasons)),
            );
        }
    }

    pub(super) fn usage(&mut self, usage: &Usage) {
        let counts = [
            (
                "honeyhive_metadata.input_tokens",
                "gen_ai.usage.input_tokens",
                usage.input,
            ),
            (
                "honeyhive_metadata.output_tokens",
                "gen_ai.usage.output_tokens",
                usage.output,
            ),
            (
                "honeyhive_metadata.cache_read_input_tokens",
                "gen_ai.usage.cache_read.input_tokens",
                usage.cache_read,
            ),
            (
                "honeyhive_metadata.cache_write_input_tokens",
                "gen_ai.usage.cache_write.input_tokens",
                usage.cache_write,
            ),
            (
                "honeyhive_metadata.reasoning_tokens",
                "gen_ai.usage.reasoning.output_tokens",
                usage.reasoning,
            ),
        ];
        for (ours, theirs, count) in counts {
            let Some(count) = count else { continue };
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.put(ours, count);
            self.put(theirs, count);
        }
    }

    pub(super) fn first(&mut self, chunk: Option<Duration>, token: Option<Duration>) {
        if let Some(token) = token {
            self.put(
                "honeyhive_metadata.time_to_first_token_ms",
                milliseconds(token),
            );
        }
        if let Some(chunk) = chunk {
            self.put(
                "honeyhive_metadata.time_to_first_chunk_ms",
                milliseconds(chunk),
            );
            self.put("gen_ai.response.time_to_first_chunk", chunk.as_secs_f64());
        }
    }

    pub(super) fn failed(&mut self, text: String, kind: Option<String>) {
        self.put(ERROR, text);
        self.put_some("error.type", kind);
    }
}

/// With three digits behind the point.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1_000.0
}
