//! The data of a call become the attributes of its span.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

use super::keys;
use super::operation::Operation;
use crate::attributes::{ERROR, GEN_AI_OPERATION, MAX_ATTRIBUTES};
use crate::model::flatten::{at_most, flatten};
use crate::model::milliseconds::milliseconds;
use crate::stream::{Asked, Reply, Said, Usage, calls_shown};

/// The writer gathers the attributes of a span.
pub(super) struct Writer(pub(super) Vec<KeyValue>);

impl Writer {
    pub(super) fn with_room(attributes: usize) -> Self {
        Self(Vec::with_capacity(attributes))
    }

    #[inline]
    pub(super) fn put(&mut self, key: impl Into<Key>, value: impl Into<Value>) {
        self.0.push(KeyValue::new(key, value));
    }

    /// Adds a text under our name and under OpenTelemetry's.
    fn put_both(&mut self, [ours, theirs]: [&'static str; 2], text: impl Into<StringValue>) {
        let text = text.into();
        self.put(ours, text.clone());
        self.put(theirs, text);
    }

    #[cold]
    fn put_json(&mut self, key: impl Into<Key>, value: serde_json::Value) {
        let mut put = at_most(MAX_ATTRIBUTES, |attribute| self.0.push(attribute));
        // Attributes past the limit of a span are left out.
        let _ = flatten(key.into(), value, &mut put);
    }

    /// Adds the operation, the provider and the model.
    pub(super) fn called(&mut self, operation: Operation, provider: StringValue, model: &Arc<str>) {
        self.put(GEN_AI_OPERATION, operation.as_str());
        self.put_both(
            ["honeyhive_config.provider", "gen_ai.provider.name"],
            provider,
        );
        if !model.is_empty() {
            let names = ["honeyhive_config.model", "gen_ai.request.model"];
            self.put_both(names, Arc::clone(model));
        }
    }

    /// Adds the parts of a request besides messages and settings; of messages that are not sent, their number.
    pub(super) fn asked(&mut self, asked: &mut Asked, hidden: Option<usize>) {
        for (index, tool) in asked.tools.drain(..).enumerate() {
            self.put(format!("honeyhive_config.tools.{index}"), tool);
        }
        if asked.left_out > 0 {
            self.put(
                "honeyhive_metadata.messages_left_out",
                asked.left_out as i64,
            );
        }
        if let Some(messages) = hidden {
            self.put("honeyhive_metadata.input_messages", messages as i64);
            self.put("honeyhive_metadata.input_bytes", asked.bytes as i64);
            return;
        }
        let texts = asked.texts.len();
        for (index, text) in asked.texts.drain(..).enumerate() {
            match texts {
                1 => self.put("honeyhive_inputs.input", text),
                _ => self.put(format!("honeyhive_inputs.input.{index}"), text),
            }
        }
    }

    pub(super) fn said(&mut self, reply: &mut Reply) {
        self.outputs(reply);
        self.reasons(reply);
        if let Some(model) = reply.model.take() {
            let names = ["honeyhive_metadata.response_model", "gen_ai.response.model"];
            self.put_both(names, model);
        }
        if let Some(id) = reply.id.take() {
            self.put_both(["honeyhive_metadata.response_id", "gen_ai.response.id"], id);
        }
        if reply.left_out > 0 {
            self.put("honeyhive_metadata.left_out", reply.left_out as i64);
        }
        self.usage(&reply.usage);
        if let Some(dollars) = reply.cost {
            self.put("honeyhive_metadata.cost", dollars);
        }
    }

    /// A lone answer is written as text, without a detour by JSON.
    fn outputs(&mut self, reply: &mut Reply) {
        let hides = reply.hides_content();
        let Some(only) = reply.only_choice() else {
            return self.put_json("honeyhive_outputs", reply.outputs().into());
        };
        only.each(hides, |name, said| {
            let key = name.attribute;
            match said {
                Said::Word(word) => self.put(key, keys::shared(word)),
                Said::Text(text) => self.put(key, text.into_owned()),
                Said::Bytes(bytes) => self.put(key, bytes as i64),
                Said::Yes => self.put(key, true),
                Said::Calls(calls) => self.put_json(key, calls_shown(calls, hides)),
            }
        });
    }

    fn reasons(&mut self, reply: &Reply) {
        let reasons = reply
            .choices
            .iter()
            .filter_map(|it| it.finish_reason.as_deref());
        let reasons: Vec<StringValue> = reasons.map(keys::shared).collect();
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
        if let Some(kind) = kind {
            self.put("error.type", kind);
        }
    }
}
