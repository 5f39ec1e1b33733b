//! Other libraries' instrumentations make spans.

use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

use crate::edits::{attribute, typed};
use crate::hive::Hive;
use crate::meaning::Span;
use crate::python::{Because, Bug, Python};

pub(crate) fn operations_of_gen_ai(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let openai = tracer
        .provider()
        .tracer("opentelemetry.instrumentation.openai");
    for operation in [
        "chat",
        "text_completion",
        "generate_content",
        "embeddings",
        "invoke_agent",
        "create_agent",
        "invoke_workflow",
        "execute_tool",
        "retrieval",
        "CHAT",
        "unknown_op",
    ] {
        let span = openai
            .span_builder(format!("x {operation}"))
            .with_attributes([
                KeyValue::new("gen_ai.operation.name", operation),
                KeyValue::new("gen_ai.request.model", "gpt-4"),
                KeyValue::new("gen_ai.usage.input_tokens", 10),
            ]);
        drop(openai.build(span));
    }
    let mut late = openai.start("late-attribute");
    late.set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
    drop(late);
    python
        .but(Bug(26), typed("x unknown_op", "tool"))
        .but(
            Because("what is said after the start counts, since the type is found at the end"),
            typed("late-attribute", "model"),
        )
        .compare(&hive);
}

pub(crate) fn names_and_attributes_that_hint(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let plain = tracer.provider().tracer("plain");
    for name in [
        "llm-call",
        "ModelRun",
        "gpt4",
        "claude",
        "llama",
        "gemini",
        "mistral",
        "palm",
        "chat",
        "completion",
        "generate",
        "inference",
        "openai.req",
        "anthropic",
        "bedrock",
        "google-search",
        "generativeai",
        "ai_step",
        "ml_step",
        "nlp_step",
        "email_send",
        "html_parse",
        "chatty_database",
        "GET /api/chat",
        "remodeling",
        "embed",
        "agent",
        "chain",
        "tool",
        "SELECT users",
        "napalm",
        "degenerate_case",
    ] {
        drop(plain.start(name));
    }
    for key in [
        "llm.request.model",
        "llm.response.model",
        "llm.model.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "openai.model",
        "anthropic.model",
        "bedrock.model_id",
        "google.model",
        "model_name",
        "model_id",
        "model_type",
        "ai_model",
        "model",
        "llm.model",
    ] {
        let span = plain
            .span_builder("by-attr")
            .with_attributes([KeyValue::new(key, "m")]);
        drop(plain.build(span));
    }
    let guessed = |span: &mut Span| span.fields.insert("type".to_owned(), "tool".into());
    python
        .but(Bug(26), |it| it.each_span(|span| drop(guessed(span))))
        .compare(&hive);
}

pub(crate) fn raw_and_secret_attributes(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let plain = tracer.provider().tracer("plain");
    let span = plain.span_builder("raw").with_attributes([
        KeyValue::new("foo_raw", "x"),
        KeyValue::new("honeyhive_inputs_raw", "{\"a\":1}"),
        KeyValue::new("raw", "y"),
        KeyValue::new("http.request.header.authorization", "Bearer secret"),
        KeyValue::new("api_key", "sk-1"),
        KeyValue::new("gen_ai.usage.total_tokens", 5),
        KeyValue::new("password_raw", "p"),
    ]);
    drop(plain.build(span));
    let masked = |key: &'static str| attribute("raw", key, "<redacted>");
    python
        .but(Bug(33), masked("http.request.header.authorization"))
        .but(Bug(33), masked("api_key"))
        .but(Bug(33), masked("password_raw"))
        .compare(&hive);
}
