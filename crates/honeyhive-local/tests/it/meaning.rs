//! Foreign instrumentations have attributes of their own: the core's tests read the same examples.

use serde_json::{Map, Value, json};

use crate::client::{
    SESSION, TRACES, attribute, export, in_session, post, server, span, start_session,
};

const EXAMPLES: &str = include_str!("../../../../integration-tests/gen-ai-examples.json");

fn any(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({ "stringValue": text }),
        Value::Bool(truth) => json!({ "boolValue": truth }),
        Value::Array(items) => {
            let values: Vec<Value> = items.iter().map(any).collect();
            json!({ "arrayValue": { "values": values } })
        }
        number if number.is_i64() => json!({ "intValue": number.to_string() }),
        number => json!({ "doubleValue": number }),
    }
}

#[tokio::test]
async fn each_example_has_the_fields_that_it_names() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).expect("examples");
    assert!(examples.len() > 10);
    for example in &examples {
        let name = &example["name"];
        let mut attributes = vec![in_session(SESSION)];
        let sent: &Map<String, Value> = example["attributes"].as_object().expect("attributes");
        attributes.extend(sent.iter().map(|(key, value)| attribute(key, any(value))));
        let spans = vec![span(1, 0, "example", attributes)];
        assert_eq!(post(&server, TRACES, export(spans)).await.0, 200);
        let event = server.events(SESSION).pop().expect("the event");
        let event = serde_json::to_value(&event).expect("JSON");
        for (field, expected) in example["event"].as_object().expect("an event") {
            let Value::Object(expected) = expected else {
                assert_eq!(event[field], *expected, "{name}: {field}");
                continue;
            };
            for (key, value) in expected {
                let found = &event[field][key];
                assert_eq!(found, value, "{name}: {field}.{key} in {:#}", event[field]);
            }
        }
        for (key, value) in sent {
            assert_eq!(
                event["attributes"][key], *value,
                "{name}: the raw {key} stays"
            );
        }
    }
}

#[tokio::test]
async fn messages_in_events_of_the_span_are_a_conversation() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let mut call = span(1, 0, "chat", vec![in_session(SESSION)]);
    let happened = |name: &str, attributes: Vec<Value>| json!({ "name": name, "timeUnixNano": "1", "attributes": attributes });
    let text = |key: &str, text: &str| crate::client::text_attribute(key, text);
    call["events"] = json!([
        happened("gen_ai.system.message", vec![text("content", "Be brief.")]),
        happened("gen_ai.user.message", vec![text("content", "Weather?")]),
        happened(
            "gen_ai.choice",
            vec![
                text(
                    "message",
                    "{\"role\": \"assistant\", \"content\": \"Rain.\"}"
                ),
                text("finish_reason", "stop"),
            ]
        ),
    ]);
    post(&server, TRACES, export(vec![call])).await;
    let event = server.events(SESSION).pop().expect("the event");
    assert_eq!(
        event.inputs["chat_history"],
        json!([{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Weather?" }])
    );
    let outputs = json!({ "role": "assistant", "content": "Rain.", "finish_reason": "stop" });
    assert_eq!(json!(event.outputs), outputs);
}
