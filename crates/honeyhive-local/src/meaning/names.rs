//! Some attributes are one field each: model, provider, tokens, cost, settings, ids.

use serde_json::Value;

use super::attributes::{Attributes, parsed};
use crate::model::{Bucket, LocalEvent};

/// A `Field` is a field of an event, with the attributes that say it, the preferred one first.
type Field = (Bucket, &'static str, &'static [&'static str]);

const FIELDS: &[Field] = &[
    (
        Bucket::Config,
        "model",
        &[
            "gen_ai.request.model",
            "llm.request.model",
            "langfuse.observation.model.name",
            "llm.model_name",
            "embedding.model_name",
            "reranker.model_name",
        ],
    ),
    (
        Bucket::Config,
        "provider",
        &[
            "gen_ai.provider.name",
            "llm.provider",
            "gen_ai.system",
            "llm.system",
            "llm.vendor",
        ],
    ),
    (
        Bucket::Metadata,
        "provider",
        &["gen_ai.provider.name", "llm.provider"],
    ),
    (Bucket::Metadata, "system", &["gen_ai.system", "llm.system"]),
    (
        Bucket::Metadata,
        "response_model",
        &["gen_ai.response.model", "llm.response.model"],
    ),
    (
        Bucket::Metadata,
        "model_name",
        &[
            "gen_ai.response.model",
            "llm.response.model",
            "gen_ai.request.model",
            "llm.request.model",
            "llm.model_name",
            "langfuse.observation.model.name",
        ],
    ),
    (
        Bucket::Metadata,
        "conversation_id",
        &[
            "gen_ai.conversation.id",
            "session.id",
            "langfuse.session.id",
        ],
    ),
    (
        Bucket::Metadata,
        "user_id",
        &["user.id", "langfuse.user.id", "enduser.id"],
    ),
    (
        Bucket::Metadata,
        "tool_name",
        &["gen_ai.tool.name", "tool.name"],
    ),
    (
        Bucket::Metadata,
        "tool_call_id",
        &["gen_ai.tool.call.id", "tool_call.id"],
    ),
    (
        Bucket::Metadata,
        "tool_description",
        &["gen_ai.tool.description", "tool.description"],
    ),
    (
        Bucket::Metadata,
        "agent_name",
        &["gen_ai.agent.name", "gen_ai.workflow.name", "agent.name"],
    ),
    (Bucket::Metadata, "agent_id", &["gen_ai.agent.id"]),
    (Bucket::Metadata, "response_id", &["gen_ai.response.id"]),
    (
        Bucket::Metadata,
        "span_kind",
        &[
            "gen_ai.agent.type",
            "openinference.span.kind",
            "traceloop.span.kind",
        ],
    ),
];

/// Counts and costs are numbers, though some libraries write them as text.
const NUMBERS: &[Field] = &[
    (
        Bucket::Metadata,
        "input_tokens",
        &[
            "gen_ai.usage.input_tokens",
            "llm.token_count.prompt",
            "llm.usage.prompt_tokens",
        ],
    ),
    (
        Bucket::Metadata,
        "output_tokens",
        &[
            "gen_ai.usage.output_tokens",
            "llm.token_count.completion",
            "llm.usage.completion_tokens",
        ],
    ),
    (
        Bucket::Metadata,
        "prompt_tokens",
        &["gen_ai.usage.prompt_tokens"],
    ),
    (
        Bucket::Metadata,
        "completion_tokens",
        &["gen_ai.usage.completion_tokens"],
    ),
    (
        Bucket::Metadata,
        "total_tokens",
        &[
            "gen_ai.usage.total_tokens",
            "llm.usage.total_tokens",
            "llm.token_count.total",
        ],
    ),
    (
        Bucket::Metadata,
        "cache_read_input_tokens",
        &[
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "llm.token_count.prompt_details.cache_read",
        ],
    ),
    (
        Bucket::Metadata,
        "cache_write_input_tokens",
        &[
            "gen_ai.usage.cache_write_input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "llm.token_count.prompt_details.cache_write",
        ],
    ),
    (
        Bucket::Metadata,
        "reasoning_tokens",
        &[
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.reasoning.output_tokens",
            "llm.token_count.completion_details.reasoning",
            "llm.usage.reasoning_tokens",
        ],
    ),
    (
        Bucket::Metadata,
        "cost",
        &[
            "gen_ai.usage.cost",
            "llm.cost.total",
            "gen_ai.usage.total_cost",
        ],
    ),
];

/// Some attributes are objects in a text: their entries are fields by themselves.
const OBJECTS: &[(&str, Bucket)] = &[
    ("llm.invocation_parameters", Bucket::Config),
    ("langfuse.observation.model.parameters", Bucket::Config),
    ("langfuse.observation.metadata", Bucket::Metadata),
];

/// Settings of a model call keep their names.
const SETTINGS: [&str; 2] = ["gen_ai.request.", "llm.request."];

/// Token counts keep their names.
const USAGE: &str = "gen_ai.usage.";

/// Puts each attribute of these tables in its place.
pub(super) fn place(said: &Attributes<'_>, event: &mut LocalEvent) {
    for (bucket, name, keys) in FIELDS {
        if let Some(value) = said.first(keys) {
            event.offer(*bucket, name, || value.clone());
        }
    }
    for (bucket, name, keys) in NUMBERS {
        if let Some(value) = said.first(keys) {
            event.offer(*bucket, name, || number(value));
        }
    }
    place_finish_reasons(said, event);
    place_langfuse_usage(said, event);
    for (key, bucket) in OBJECTS {
        if let Some(Value::Object(object)) = said.json(key) {
            for (name, value) in object {
                event.offer(*bucket, &name, || value);
            }
        }
    }
    for key in said.keys() {
        place_by_prefix(said, event, key);
    }
}

fn place_by_prefix(said: &Attributes<'_>, event: &mut LocalEvent, key: &str) {
    if said.is_claimed(key) {
        return;
    }
    if let Some(name) = key.strip_prefix(USAGE) {
        let value = said.take(key).map(number).unwrap_or_default();
        return event.offer(Bucket::Metadata, name, || value);
    }
    let setting = SETTINGS.iter().find_map(|prefix| key.strip_prefix(prefix));
    if let Some(name) = setting {
        let value = said.take(key).cloned().unwrap_or_default();
        event.offer(Bucket::Config, name, || value);
    }
}

/// Places the finish reasons: the list, and its first as the reason.
fn place_finish_reasons(said: &Attributes<'_>, event: &mut LocalEvent) {
    let reasons = said.json("gen_ai.response.finish_reasons");
    let one = said.first(&[
        "llm.response.finish_reason",
        "gen_ai.response.finish_reason",
    ]);
    let first = match &reasons {
        Some(Value::Array(reasons)) => reasons.first().cloned(),
        other => other.clone(),
    };
    if let Some(reasons) = reasons {
        event.offer(Bucket::Metadata, "finish_reasons", || reasons);
    }
    if let Some(reason) = first.or_else(|| one.cloned()) {
        event.offer(Bucket::Metadata, "finish_reason", || reason);
    }
}

/// Places the counts and costs that Langfuse writes as objects.
fn place_langfuse_usage(said: &Attributes<'_>, event: &mut LocalEvent) {
    const COUNTS: [(&str, &str); 6] = [
        ("input", "input_tokens"),
        ("prompt_tokens", "input_tokens"),
        ("output", "output_tokens"),
        ("completion_tokens", "output_tokens"),
        ("total", "total_tokens"),
        ("total_tokens", "total_tokens"),
    ];
    if let Some(usage) = said.json("langfuse.observation.usage_details") {
        for (name, field) in COUNTS {
            if let Some(count) = usage.get(name) {
                event.offer(Bucket::Metadata, field, || number(count));
            }
        }
    }
    let Some(Value::Object(costs)) = said.json("langfuse.observation.cost_details") else {
        return;
    };
    let parts = costs.values().filter_map(Value::as_f64).sum::<f64>();
    let total = costs.get("total").and_then(Value::as_f64);
    event.offer(Bucket::Metadata, "cost", || total.unwrap_or(parts).into());
}

/// Returns a number, also where it came as text.
fn number(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return value.clone();
    };
    let whole = text.trim().parse::<i64>().map(Value::from);
    let number = whole.or_else(|_| text.trim().parse::<f64>().map(Value::from));
    number.unwrap_or_else(|_| parsed(value))
}
