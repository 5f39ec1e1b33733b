//! Inputs and outputs are conversations, tools or plain values.

use serde_json::{Map, Value, json};

use super::attributes::{Attributes, parsed};
use super::messages::{chat, is_chat};
use crate::model::{Bucket, LocalEvent, Object};

/// Fills inputs and outputs from the first form that says something.
pub(super) fn place(said: &Attributes<'_>, event: &mut LocalEvent) {
    for (name, value) in inputs(said) {
        event.offer(Bucket::Inputs, &name, || value);
    }
    for (name, value) in outputs(said) {
        event.offer(Bucket::Outputs, &name, || value);
    }
}

fn inputs(said: &Attributes<'_>) -> Object {
    let mut inputs = Object::new();
    if let Some(arguments) = said
        .json("gen_ai.tool.call.arguments")
        .or_else(|| said.json("tool.parameters"))
    {
        inputs.extend(fields(arguments, "arguments"));
    }
    let history = input_messages(said);
    if !history.is_empty() {
        inputs.insert("chat_history".to_owned(), shown(history));
    }
    if let Some(prompt) = said.text("gen_ai.prompt") {
        add(&mut inputs, "prompt", prompt.into());
    }
    for key in [
        "langfuse.observation.input",
        "traceloop.entity.input",
        "input.value",
    ] {
        if let Some(value) = said.json(key) {
            merge(
                &mut inputs,
                plain(unwrapped(value, "inputs"), "input", "user"),
            );
        }
    }
    said.take("input.mime_type");
    inputs
}

fn outputs(said: &Attributes<'_>) -> Object {
    let mut outputs = Object::new();
    if let Some(result) = said.take("gen_ai.tool.call.result") {
        outputs.insert("result".to_owned(), told(result));
    }
    let messages = output_messages(said);
    outputs.extend(answer(messages));
    if let Some(text) = said.text("gen_ai.completion") {
        add(&mut outputs, "text", text.into());
    }
    if let Some(documents) = said.below("retrieval.documents") {
        outputs.insert("documents".to_owned(), documents);
    }
    for key in [
        "langfuse.observation.output",
        "traceloop.entity.output",
        "output.value",
    ] {
        if let Some(value) = said.json(key) {
            let value = unwrapped(value, "outputs");
            let found = match is_chat(&value) {
                true => answer(chat(&value, "assistant")),
                false => plain(value, "text", "assistant"),
            };
            merge(&mut outputs, found);
        }
    }
    said.take("output.mime_type");
    outputs
}

fn input_messages(said: &Attributes<'_>) -> Vec<Object> {
    let system = said.json("gen_ai.system_instructions");
    let system =
        system.map(|parts| chat(&json!([{ "role": "system", "content": parts }]), "system"));
    let mut history = system.unwrap_or_default();
    let forms = [
        said.json("gen_ai.input.messages"),
        said.below("gen_ai.prompt"),
        said.below("llm.prompts"),
        said.below("llm.input_messages"),
        event_messages(
            said,
            &[
                "gen_ai.system.message",
                "gen_ai.user.message",
                "gen_ai.assistant.message",
                "gen_ai.tool.message",
            ],
        ),
        event_attribute(said, "gen_ai.content.prompt", "gen_ai.prompt"),
    ];
    let said_first = forms.into_iter().flatten().next();
    history.extend(
        said_first
            .iter()
            .flat_map(|messages| chat(messages, "user")),
    );
    history
}

fn output_messages(said: &Attributes<'_>) -> Vec<Object> {
    let forms = [
        said.json("gen_ai.output.messages"),
        said.below("gen_ai.completion"),
        said.below("llm.output_messages"),
        event_messages(said, &["gen_ai.choice"]),
        event_attribute(said, "gen_ai.content.completion", "gen_ai.completion"),
    ];
    let said_first = forms.into_iter().flatten().next();
    said_first
        .map(|messages| chat(&messages, "assistant"))
        .unwrap_or_default()
}

/// Collects the messages that the old conventions put into events of the span, each named after its role.
fn event_messages(said: &Attributes<'_>, names: &[&str]) -> Option<Value> {
    let events = said
        .events
        .iter()
        .filter(|event| names.contains(&event.name.as_str()));
    let messages: Vec<Value> = events
        .map(|event| {
            let fields = event.attributes.iter();
            let mut message: Object = fields
                .map(|(key, value)| (key.clone(), parsed(value)))
                .collect();
            let role = event
                .name
                .strip_prefix("gen_ai.")
                .and_then(|name| name.strip_suffix(".message"));
            if let Some(role) = role {
                message.entry("role").or_insert_with(|| role.into());
            }
            Value::Object(message)
        })
        .collect();
    (!messages.is_empty()).then_some(Value::Array(messages))
}

fn event_attribute(said: &Attributes<'_>, name: &str, key: &str) -> Option<Value> {
    let event = said.events.iter().find(|event| event.name == name)?;
    event.attributes.get(key).map(parsed)
}

/// Returns one answer by its parts, several as a conversation.
fn answer(mut messages: Vec<Object>) -> Object {
    match messages.len() {
        0 => Object::new(),
        1 => messages.remove(0),
        _ => Map::from_iter([("chat_history".to_owned(), shown(messages))]),
    }
}

fn shown(messages: Vec<Object>) -> Value {
    messages.into_iter().map(Value::Object).collect()
}

/// Returns a value of a library that has no messages: a conversation, fields, or one thing under a name.
fn plain(value: Value, name: &str, role: &str) -> Object {
    if is_chat(&value) {
        return Map::from_iter([("chat_history".to_owned(), shown(chat(&value, role)))]);
    }
    fields(value, name)
}

/// Returns the fields of an object; any other value is one field.
fn fields(value: Value, name: &str) -> Object {
    match value {
        Value::Object(fields) => fields,
        Value::Null => Object::new(),
        other => Map::from_iter([(name.to_owned(), other)]),
    }
}

/// Takes off the wrapping that Traceloop puts around inputs and outputs.
fn unwrapped(mut value: Value, name: &str) -> Value {
    match value.get_mut(name) {
        Some(inner) if inner.is_object() || inner.is_array() => inner.take(),
        _ => value,
    }
}

/// Parses a tool's answer where it is an object or a list; any other answer stays text: `1.10` is no number here.
fn told(result: &Value) -> Value {
    match parsed(result) {
        value @ (Value::Object(_) | Value::Array(_)) => value,
        _ => result.clone(),
    }
}

fn add(object: &mut Object, name: &str, value: Value) {
    object.entry(name).or_insert(value);
}

fn merge(object: &mut Object, more: Object) {
    for (name, value) in more {
        object.entry(name).or_insert(value);
    }
}
