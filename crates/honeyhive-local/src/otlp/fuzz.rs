//! Random input must not make the readers panic, and nothing that they take may be lost. `HH_FUZZ_SECONDS` says for how
//! long they are tried: one second by default.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Value, json};

use super::{arrival, spans_from_json, spans_from_protobuf};
use crate::json;

/// `Dice` is SplitMix64: it gives the same input for the same seed, which a failure names.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % below as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

const KEYS: [&str; 30] = [
    "honeyhive_inputs.a",
    "honeyhive_inputs.a.0",
    "honeyhive_inputs.a.2",
    "honeyhive_metrics.gpt-4",
    "honeyhive_metrics.gpt-4.1",
    "honeyhive_outputs.",
    "honeyhive_metadata..",
    "honeyhive_event_type",
    "honeyhive.session_id",
    "honeyhive.session_auto_create",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.prompt.0.role",
    "gen_ai.prompt.1.content",
    "gen_ai.completion.0.content",
    "gen_ai.usage.input_tokens",
    "gen_ai.response.finish_reasons",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "llm.input_messages.0.message.content",
    "llm.invocation_parameters",
    "input.value",
    "output.value",
    "traceloop.entity.input",
    "langfuse.observation.output",
    "langfuse.observation.usage_details",
    "session.id",
    "",
];

const TEXTS: [&str; 16] = [
    "",
    "x",
    "user",
    "null",
    "1.10",
    "[]",
    "{}",
    "[{\"role\":\"user\",\"content\":\"hi\"}]",
    "[{\"role\":\"us",
    "{\"messages\":[1,null]}",
    "[{\"parts\":[{\"type\":\"tool_call\",\"arguments\":{}}]}]",
    "[\"\\ud83d\"]",
    "{\"inputs\":{\"a\":1}}",
    "\u{feff}[]",
    "6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d",
    "\"\\",
];

fn any_value(dice: &mut Dice, depth: usize) -> AnyValue {
    let value = match dice.roll(if depth > 4 { 5 } else { 8 }) {
        0 => None,
        1 => Some(Kind::BoolValue(dice.roll(2) == 0)),
        2 => Some(Kind::IntValue(dice.roll(1000) as i64 - 500)),
        3 => Some(Kind::DoubleValue(
            [0.5, f64::NAN, f64::INFINITY, -0.0][dice.roll(4)],
        )),
        4 | 5 => Some(Kind::StringValue(dice.pick(&TEXTS).to_owned())),
        6 => Some(Kind::ArrayValue(ArrayValue {
            values: (0..dice.roll(3))
                .map(|_| any_value(dice, depth + 1))
                .collect(),
        })),
        _ => Some(Kind::KvlistValue(KeyValueList {
            values: pairs(dice, 3, depth + 1),
        })),
    };
    AnyValue { value }
}

fn pairs(dice: &mut Dice, most: usize, depth: usize) -> Vec<KeyValue> {
    (0..dice.roll(most + 1))
        .map(|_| KeyValue {
            key: dice.pick(&KEYS).to_owned(),
            value: Some(any_value(dice, depth)),
            ..KeyValue::default()
        })
        .collect()
}

fn request(dice: &mut Dice) -> ExportTraceServiceRequest {
    let spans = (0..dice.roll(3)).map(|number| Span {
        trace_id: vec![1; 16],
        span_id: vec![number as u8 + 1; 8],
        name: dice.pick(&TEXTS).to_owned(),
        attributes: pairs(dice, 8, 0),
        ..Span::default()
    });
    let spans = spans.collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// Returns a JSON value that looks like a request here and there.
fn json_value(dice: &mut Dice, depth: usize) -> Value {
    const FIELDS: [&str; 14] = [
        "resourceSpans",
        "scopeSpans",
        "spans",
        "resource",
        "attributes",
        "key",
        "value",
        "stringValue",
        "arrayValue",
        "values",
        "traceId",
        "spanId",
        "startTimeUnixNano",
        "status",
    ];
    match dice.roll(if depth > 8 { 4 } else { 7 }) {
        0 => Value::Null,
        1 => json!(dice.roll(3)),
        2 => json!(dice.pick(&TEXTS)),
        3 => json!(dice.pick(&["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"])),
        4 => (0..dice.roll(3))
            .map(|_| json_value(dice, depth + 1))
            .collect(),
        _ => {
            let fields = (0..dice.roll(5))
                .map(|_| (dice.pick(&FIELDS).to_owned(), json_value(dice, depth + 1)));
            Value::Object(fields.collect())
        }
    }
}

fn budget() -> Duration {
    let given = std::env::var("HH_FUZZ_SECONDS").ok();
    let seconds = given.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

#[test]
fn whatever_comes_is_read_or_refused_and_what_is_read_loses_no_attribute() {
    let until = Instant::now() + budget();
    let mut seed = 0;
    while Instant::now() < until {
        seed += 1;
        let mut dice = Dice(seed);
        let request = request(&mut dice);
        let body = request.encode_to_vec();
        let spans =
            spans_from_protobuf(&body).unwrap_or_else(|why| panic!("seed {seed}: {}", why.0));
        let sent = &request.resource_spans[0].scope_spans[0].spans;
        assert_eq!(spans.len(), sent.len(), "seed {seed}");
        for (span, sent) in spans.into_iter().zip(sent) {
            let arrived = arrival(span);
            for pair in &sent.attributes {
                assert!(
                    arrived.event.attributes.contains_key(&pair.key),
                    "seed {seed}: {}",
                    pair.key
                );
            }
            let kept = serde_json::to_string(&arrived.event).expect("JSON");
            assert!(json::parse(kept.as_bytes()).is_ok(), "seed {seed}");
        }
        // Some bytes are spoiled, cut or not protobuf at all.
        let mut spoiled = body;
        for _ in 0..dice.roll(4) {
            if !spoiled.is_empty() {
                let at = dice.roll(spoiled.len());
                spoiled[at] = dice.roll(256) as u8;
            }
        }
        spoiled.truncate(dice.roll(spoiled.len() + 1));
        let spans = spans_from_protobuf(&spoiled).unwrap_or_default();
        spans.into_iter().for_each(|span| drop(arrival(span)));
        let spans = spans_from_json(&json_value(&mut dice, 0)).unwrap_or_default();
        spans.into_iter().for_each(|span| drop(arrival(span)));
    }
    assert!(seed > 10, "there was time for some");
}
