//! The tests check the attributes that are added to a span, from every shape that messages have had.

use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, StringValue, Value as Attribute};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use serde_json::{Value as Json, json};

use super::part::as_text;
use super::*;
use crate::attributes::*;

fn span(attributes: Vec<KeyValue>) -> SpanData {
    SpanData {
        span_context: SpanContext::NONE,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "chat".into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: opentelemetry::InstrumentationScope::default(),
    }
}

/// Returns the attributes that are added to a span, as the JSON that it is flattened from.
fn placed(mut span: SpanData) -> Vec<(String, String)> {
    let before = span.attributes.len();
    place(&mut span);
    let added = span.attributes.into_iter().skip(before);
    let mut added: Vec<_> = added
        .map(|it| (it.key.to_string(), it.value.as_str().into_owned()))
        .collect();
    added.sort();
    added
}

/// Returns the attributes that are added to these.
fn added(before: &[(&'static str, Json)]) -> Vec<(String, String)> {
    let attributes = before
        .iter()
        .map(|(key, value)| KeyValue::new(*key, as_text(value)))
        .collect();
    placed(span(attributes))
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    expected.iter().map(owned).collect()
}

#[test]
fn messages_in_parts_become_the_chat_that_is_shown() {
    let before = [
        (
            GEN_AI_SYSTEM_INSTRUCTIONS,
            json!([{"type": "text", "content": "Be brief."}]),
        ),
        (
            GEN_AI_INPUT_MESSAGES,
            json!([
                {"role": "user", "parts": [
                    {"type": "text", "content": "Weather?"},
                    {"type": "uri", "modality": "image", "uri": "https://x"},
                ]},
                {"role": "assistant", "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}},
                ]},
                {"role": "tool", "parts": [
                    {"type": "tool_call_response", "id": "c1", "response": {"rain": true}},
                ]},
            ]),
        ),
        (
            GEN_AI_OUTPUT_MESSAGES,
            json!([{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}],
                    "finish_reason": "stop"}]),
        ),
    ];
    assert_eq!(
        added(&before),
        pairs(&[
            ("honeyhive_inputs.chat_history.0.content", "Be brief."),
            ("honeyhive_inputs.chat_history.0.role", "system"),
            (
                "honeyhive_inputs.chat_history.1.content",
                "Weather?\n[image: https://x]"
            ),
            ("honeyhive_inputs.chat_history.1.role", "user"),
            ("honeyhive_inputs.chat_history.2.role", "assistant"),
            (
                "honeyhive_inputs.chat_history.2.tool_calls.0.arguments",
                r#"{"city":"Paris"}"#
            ),
            ("honeyhive_inputs.chat_history.2.tool_calls.0.id", "c1"),
            (
                "honeyhive_inputs.chat_history.2.tool_calls.0.name",
                "weather"
            ),
            (
                "honeyhive_inputs.chat_history.3.content",
                r#"{"rain":true}"#
            ),
            ("honeyhive_inputs.chat_history.3.role", "tool"),
            ("honeyhive_inputs.chat_history.3.tool_call_id", "c1"),
            ("honeyhive_outputs.content", "Rain."),
            ("honeyhive_outputs.finish_reason", "stop"),
            ("honeyhive_outputs.role", "assistant"),
        ])
    );
}

#[test]
fn the_shape_of_chat_apis_is_read_too_and_several_answers_are_a_list() {
    let before = [
        (
            GEN_AI_INPUT_MESSAGES,
            json!([{"role": "user", "content": "a"},
                   {"role": "user", "content": [{"type": "text", "text": "b"}]}]),
        ),
        (
            GEN_AI_OUTPUT_MESSAGES,
            json!([{"role": "assistant", "content": "1"}, {"role": "assistant", "content": "2"}]),
        ),
    ];
    let added = added(&before);
    for expected in pairs(&[
        ("honeyhive_inputs.chat_history.0.content", "a"),
        ("honeyhive_inputs.chat_history.1.content", "b"),
        ("honeyhive_outputs.chat_history.1.content", "2"),
    ]) {
        assert!(added.contains(&expected), "{expected:?} in {added:?}");
    }
}

#[test]
fn tools_and_plain_prompts_have_inputs_and_outputs() {
    let tool = [
        (GEN_AI_TOOL_ARGUMENTS, json!({"city": "Paris", "days": 2})),
        (GEN_AI_TOOL_RESULT, json!("sunny")),
    ];
    assert_eq!(
        added(&tool),
        pairs(&[
            ("honeyhive_inputs.city", "Paris"),
            ("honeyhive_inputs.days", "2"),
            ("honeyhive_outputs.result", "sunny"),
        ])
    );
    let agent = [
        (GEN_AI_PROMPT, json!("go")),
        (GEN_AI_COMPLETION, json!("done")),
    ];
    assert_eq!(
        added(&agent),
        pairs(&[
            ("honeyhive_inputs.prompt", "go"),
            ("honeyhive_outputs.text", "done"),
        ])
    );
}

#[test]
fn what_a_model_writes_is_text_whatever_it_looks_like() {
    for looks_like in ["1.10", "null", "[]", "{\"k\": 1}"] {
        let before = [(GEN_AI_COMPLETION, json!(looks_like))];
        assert_eq!(
            added(&before),
            pairs(&[("honeyhive_outputs.text", looks_like)])
        );
    }
}

#[test]
fn each_answer_of_a_tool_is_a_message_and_unknown_parts_show_their_text() {
    let before = [(
        GEN_AI_INPUT_MESSAGES,
        json!([{"role": "tool", "parts": [
            {"type": "tool_call_response", "id": "1", "result": "a"},
            {"type": "tool_call_response", "id": "2", "result": "b"},
        ]}, {"role": "user", "content": [{"type": "input_text", "text": "hello"}]}]),
    )];
    let added = added(&before);
    for expected in pairs(&[
        ("honeyhive_inputs.chat_history.0.tool_call_id", "1"),
        ("honeyhive_inputs.chat_history.1.tool_call_id", "2"),
        ("honeyhive_inputs.chat_history.1.content", "b"),
        ("honeyhive_inputs.chat_history.2.content", "hello"),
    ]) {
        assert!(added.contains(&expected), "{expected:?} in {added:?}");
    }
}

#[test]
fn instructions_that_stand_among_the_messages_too_are_shown_once() {
    let said = |content: &str| {
        let before = [
            (
                GEN_AI_SYSTEM_INSTRUCTIONS,
                json!([{"type": "text", "content": "Be brief."}]),
            ),
            (
                GEN_AI_INPUT_MESSAGES,
                json!([{"role": "system", "parts": [{"type": "text", "content": content}]},
                    {"role": "user", "parts": [{"type": "text", "content": "Be brief."}]}]),
            ),
        ];
        let contents = added(&before).into_iter();
        let contents = contents.filter(|(key, _)| key.ends_with(".content"));
        contents.map(|(_, content)| content).collect::<Vec<_>>()
    };
    assert_eq!(said("Be brief."), ["Be brief.", "Be brief."]);
    assert_eq!(said("Rhyme."), ["Be brief.", "Rhyme.", "Be brief."]);
}

#[test]
fn the_answer_of_a_tool_is_the_tools_whoever_the_message_is_from() {
    let value = r#"[{"role": "user", "parts": [{"type": "tool_call_response", "id": "c1", "response": "ok"}]}]"#;
    let expected = ["0.content=ok", "0.role=tool", "0.tool_call_id=c1"];
    assert_eq!(lines(GEN_AI_INPUT_MESSAGES, value), expected);
}

#[test]
fn a_history_without_end_takes_as_many_attributes_as_there_are() {
    let messages: Vec<_> = (0..3_000)
        .map(|turn| json!({"role": "user", "content": turn.to_string()}))
        .collect();
    let before = [(GEN_AI_INPUT_MESSAGES, Json::from(messages))];
    assert_eq!(added(&before).len(), MAX_ATTRIBUTES);
}

#[test]
fn token_counts_are_numbers() {
    let mut span = span(vec![
        KeyValue::new("gen_ai.usage.input_tokens", "20"),
        KeyValue::new("gen_ai.usage.note", "many"),
        KeyValue::new("gen_ai.request.model", "4"),
    ]);
    place(&mut span);
    let values: Vec<_> = span.attributes.into_iter().map(|it| it.value).collect();
    assert_eq!(values, [20.into(), "many".into(), "4".into()]);
}

#[test]
fn what_the_program_has_said_stays() {
    let said = [
        ("honeyhive_inputs.chat_history.0.role", json!("user")),
        (
            GEN_AI_INPUT_MESSAGES,
            json!([{"role": "user", "content": "a"}]),
        ),
    ];
    assert_eq!(added(&said), []);
}

/// Returns the lines that a list of messages is shown as: whose, what, and the calls and answers of tools.
fn lines(key: &'static str, value: &str) -> Vec<String> {
    let added = placed(span(vec![KeyValue::new(key, value.to_owned())]));
    let mut lines: Vec<String> = Vec::new();
    for (key, value) in added {
        let (_, rest) = key.split_once('.').expect("a bucket");
        let rest = rest.strip_prefix("chat_history.").unwrap_or(rest);
        lines.push(format!("{rest}={value}"));
    }
    lines
}

#[test]
fn every_shape_of_an_answer_shows_its_text() {
    let yes = &["content=yes", "role=assistant"][..];
    for value in [
        "yes",
        r#""yes""#,
        r#"["yes"]"#,
        r#"{"content": "yes"}"#,
        r#"{"role": "assistant", "content": "yes"}"#,
        r#"[{"role": "assistant", "content": "yes"}]"#,
        r#"[{"content": "yes"}]"#,
        r#"[{"parts": [{"type": "text", "content": "yes"}]}]"#,
        r#"[{"role": "assistant", "parts": {"type": "text", "content": "yes"}}]"#,
        r#"[{"role": "assistant", "parts": "yes"}]"#,
        r#"[{"role": "assistant", "parts": ["yes"]}]"#,
        r#"[{"role": "assistant", "content": {"type": "text", "text": "yes"}}]"#,
        r#"[{"role": "assistant", "content": {"text": "yes"}}]"#,
        r#"[{"role": "assistant", "content": [{"type": "text", "text": {"value": "yes"}}]}]"#,
        r#"[{"role": "assistant", "content": "[{\"type\": \"text\", \"text\": \"yes\"}]"}]"#,
        r#"[[{"role": "assistant", "content": "yes"}]]"#,
        r#""[{\"role\": \"assistant\", \"content\": \"yes\"}]""#,
        r#"["{\"role\": \"assistant\", \"content\": \"yes\"}"]"#,
        // The parts stand alone, in three kinds.
        r#"[{"type": "text", "text": "yes"}]"#,
        r#"[{"type": "output_text", "text": "yes", "annotations": []}]"#,
        r#"{"parts": [{"text": "yes"}]}"#,
        // The answers are those of OpenAI, Anthropic, Gemini, Bedrock, Cohere, Ollama and LangChain.
        r#"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}}]}"#,
        r#"{"choices": [{"delta": {"content": "yes"}}]}"#,
        r#"{"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]}]}"#,
        r#"{"role": "assistant", "content": [{"type": "text", "text": "yes"}], "model": "m"}"#,
        r#"{"candidates": [{"content": {"parts": [{"text": "yes"}]}}]}"#,
        r#"{"output": {"message": {"role": "assistant", "content": [{"text": "yes"}]}}}"#,
        r#"{"message": {"role": "assistant", "content": "yes"}}"#,
        r#"{"response": "yes"}"#,
        r#"{"generations": [[{"text": "yes", "type": "Generation"}]]}"#,
        r#"{"type": "ai", "data": {"content": "yes"}}"#,
        r#"{"lc": 1, "type": "constructor", "kwargs": {"content": "yes", "type": "ai"}}"#,
        r#"{"output": [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]}]}"#,
        r#"{"text": "yes", "generation_id": "g", "chat_history": []}"#,
        r#"{"messages": [], "response": "yes"}"#,
        r#"[{"role": "assistant", "blocks": [{"block_type": "text", "text": "yes"}]}]"#,
        r#"[[{"lc": 1, "type": "constructor", "id": ["langchain", "AIMessage"], "kwargs": {"content": "yes"}}]]"#,
        // The answers are those of Titan.
        r#"{"inputTextTokenCount": 5, "results": [{"tokenCount": 7, "outputText": "yes"}]}"#,
        r#"[{"outputText": "yes", "tokenCount": 7}]"#,
        // Python's `repr` writes such messages.
        "[{'role': 'assistant', 'content': 'yes'}]",
        "{'choices': [{'index': 0, 'message': {'role': 'assistant', 'content': \"yes\", 'refusal': None}}]}",
        "[{'role': 'assistant', 'parts': [{'type': 'text', 'content': 'yes', 'is_last': True}]}]",
        // The message is a refusal, or was spoken.
        r#"{"role": "assistant", "content": null, "refusal": "yes"}"#,
        r#"{"role": "assistant", "content": null, "audio": {"id": "a", "transcript": "yes"}}"#,
        // The tuples are LangChain's, and one text of two is empty.
        r#"[{"role": "assistant", "content": "", "contents": [{"message_content": {"text": "yes"}}]}]"#,
        r#"[["assistant", "yes"]]"#,
        r#"[["ai", "yes"]]"#,
        // The responses API repeats its earlier instructions in its answer.
        r#"{"instructions": "Be brief.", "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yes"}]}]}"#,
        r#"{"output": [{"type": "reasoning"}, {"type": "message", "content": "yes"}], "input": [{"role": "user", "content": "hi"}]}"#,
        // Thoughts of a model are no part of the conversation.
        r#"[{"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "yes"}]}]"#,
        r#"[{"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]}]"#,
        "\u{feff}[{\"role\": \"assistant\", \"content\": \"yes\"}]",
    ] {
        assert_eq!(lines(GEN_AI_OUTPUT_MESSAGES, value), yes, "{value}");
    }
}

#[test]
fn the_results_of_titan_say_why_they_ended_and_those_of_others_are_no_messages() {
    let titan = r#"{"results": [{"outputText": "yes", "completionReason": "FINISH"}]}"#;
    let expected = ["content=yes", "finish_reason=FINISH", "role=assistant"];
    assert_eq!(lines(GEN_AI_OUTPUT_MESSAGES, titan), expected);
    let others = r#"{"results":[{"title":"tea"}]}"#;
    let expected = [format!("content={others}"), "role=assistant".to_owned()];
    assert_eq!(lines(GEN_AI_OUTPUT_MESSAGES, others), expected);
}

#[test]
fn what_is_not_understood_is_shown_as_it_is() {
    for (value, expected) in [
        ("42", &["content=42", "role=assistant"][..]),
        ("null", &["content=null", "role=assistant"]),
        (
            "[{\"role\": \"us",
            &["content=[{\"role\": \"us", "role=assistant"],
        ),
        (
            r#"{"foo": {"bar": 1}}"#,
            &[r#"content={"foo":{"bar":1}}"#, "role=assistant"],
        ),
        (
            r#"[{"role": "x", "foo": 1}]"#,
            &[r#"content={"foo":1,"role":"x"}"#, "role=x"],
        ),
        (
            r#"[{"role": "assistant", "parts": [{"type": "novel", "glyph": 7}]}]"#,
            &[r#"content={"glyph":7,"type":"novel"}"#, "role=assistant"],
        ),
        (
            r#"[1, true]"#,
            &[
                "0.content=1",
                "0.role=assistant",
                "1.content=true",
                "1.role=assistant",
            ],
        ),
        (
            r#"[{"role": "assistant", "content": "half \ud83d"}]"#,
            &["content=half \u{fffd}", "role=assistant"],
        ),
        ("[{\"content\": NaN}]", &["content=NaN", "role=assistant"]),
        (r#"[{"role": "assistant"}]"#, &["role=assistant"]),
    ] {
        assert_eq!(lines(GEN_AI_OUTPUT_MESSAGES, value), expected, "{value}");
    }
}

#[test]
fn calls_and_answers_of_tools_are_shown_from_every_shape() {
    let call = &[
        r#"0.role=assistant"#,
        r#"0.tool_calls.0.arguments={"a":1}"#,
        "0.tool_calls.0.id=c1",
        "0.tool_calls.0.name=add",
    ][..];
    for part in [
        r#"{"type": "tool_call", "id": "c1", "name": "add", "arguments": {"a": 1}}"#,
        r#"{"type": "tool_call", "id": "c1", "name": "add", "arguments": "{\"a\":1}"}"#,
        r#"{"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}"#,
        r#"{"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{\"a\":1}"}"#,
        r#"{"type": "tool-call", "toolCallId": "c1", "toolName": "add", "input": {"a": 1}}"#,
        r#"{"type": "custom_tool_call", "call_id": "c1", "name": "add", "input": "{\"a\":1}"}"#,
        r#"{"functionCall": {"id": "c1", "name": "add", "args": {"a": 1}}}"#,
        r#"{"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}}"#,
        r#"{"tool_call": {"id": "c1", "function": {"name": "add", "arguments": "{\"a\":1}"}}}"#,
    ] {
        let value = format!(r#"[{{"role": "assistant", "content": [{part}]}}]"#);
        assert_eq!(lines(GEN_AI_INPUT_MESSAGES, &value), call, "{value}");
    }
    for (part, said) in [
        (
            r#"{"type": "tool_call_response", "id": "c1", "response": "1.10"}"#,
            "1.10",
        ),
        (
            r#"{"type": "tool_call_response", "id": "c1", "result": {"a": 1}}"#,
            r#"{"a":1}"#,
        ),
        (
            r#"{"type": "tool_call_response", "id": "c1", "response": null}"#,
            "null",
        ),
        (
            r#"{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "ok"}]}"#,
            "ok",
        ),
        (
            r#"{"type": "function_call_output", "call_id": "c1", "output": "ok"}"#,
            "ok",
        ),
        (
            r#"{"type": "tool-result", "toolCallId": "c1", "output": ["a", 1]}"#,
            r#"["a",1]"#,
        ),
        (
            r#"{"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"}"#,
            "ok",
        ),
        (
            r#"{"functionResponse": {"id": "c1", "name": "add", "response": {"sum": 2}}}"#,
            r#"{"sum":2}"#,
        ),
        (
            r#"{"toolResult": {"toolUseId": "c1", "content": [{"text": "ok"}]}}"#,
            "ok",
        ),
    ] {
        let value = format!(r#"[{{"role": "tool", "content": [{part}]}}]"#);
        let content = format!("0.content={said}");
        let expected = [content.as_str(), "0.role=tool", "0.tool_call_id=c1"];
        assert_eq!(lines(GEN_AI_INPUT_MESSAGES, &value), expected, "{value}");
    }
    // The message is the answer itself.
    let value = r#"[{"role": "tool", "tool_call_id": "c1", "content": "[1.10]"}]"#;
    let expected = ["0.content=[1.10]", "0.role=tool", "0.tool_call_id=c1"];
    assert_eq!(lines(GEN_AI_INPUT_MESSAGES, value), expected);
}

#[test]
fn what_is_binary_is_a_mark_with_its_kind_and_size() {
    for (part, mark) in [
        (
            r#"{"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AAAA"}"#,
            "[image/png, 3 bytes]",
        ),
        (
            r#"{"type": "uri", "modality": "image", "uri": "https://x/y"}"#,
            "[image: https://x/y]",
        ),
        (
            r#"{"type": "file", "modality": "video", "file_id": "f1"}"#,
            "[video: f1]",
        ),
        (
            r#"{"type": "image_url", "image_url": {"url": "https://x/y.png"}}"#,
            "[image_url: https://x/y.png]",
        ),
        (
            r#"{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}"#,
            "[image/png, 3 bytes]",
        ),
        (
            r#"{"type": "input_image", "image_url": "data:image/jpeg;base64,AAAAAAAA"}"#,
            "[image/jpeg, 6 bytes]",
        ),
        (
            r#"{"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "AAA="}}"#,
            "[image/gif, 2 bytes]",
        ),
        (
            r#"{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}"#,
            "[wav, 3 bytes]",
        ),
        (
            r#"{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}"#,
            "[image/png, 3 bytes]",
        ),
        (
            r#"{"fileData": {"mimeType": "video/mp4", "fileUri": "gs://x"}}"#,
            "[video/mp4: gs://x]",
        ),
        (
            r#"{"image": {"format": "png", "source": {"bytes": "AAAA"}}}"#,
            "[png, 3 bytes]",
        ),
        (
            r#"{"image": {"format": "png", "source": {"bytes": [1, 2]}}}"#,
            "[png, 2 bytes]",
        ),
        (
            r#"{"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}}"#,
            "[application/pdf, 3 bytes]",
        ),
        (
            r#"{"type": "image_generation_call", "id": "i1", "result": "AAAAAAAA"}"#,
            "[image_generation_call, 6 bytes]",
        ),
        (r#"{"b64_json": "AAAA"}"#, "[b64_json, 3 bytes]"),
        (
            r#"{"type": "document", "title": "a", "source": {"type": "text", "media_type": "text/plain", "data": "plain words"}}"#,
            "plain words",
        ),
        (
            r#"{"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a page"}]}}"#,
            "a page",
        ),
        (r#"{"type": "audio"}"#, "[audio]"),
    ] {
        let value = format!(r#"[{{"role": "user", "content": ["see", {part}]}}]"#);
        let content = format!("0.content=see\n{mark}");
        let expected = [content.as_str(), "0.role=user"];
        assert_eq!(lines(GEN_AI_INPUT_MESSAGES, &value), expected, "{value}");
    }
    // Ollama has the pictures beside the text.
    let value = r#"[{"role": "user", "content": "see", "images": ["AAAA", "https://x/y"]}]"#;
    let expected = [
        "0.content=see\n[image, 3 bytes]\n[image: https://x/y]",
        "0.role=user",
    ];
    assert_eq!(lines(GEN_AI_INPUT_MESSAGES, value), expected);
}

/// The requests are whole, and their parts stand under names of their own.
#[test]
fn a_request_is_all_of_its_messages_in_their_order() {
    let two = &[
        "0.content=Be brief.",
        "0.role=system",
        "1.content=hi",
        "1.role=user",
    ][..];
    for value in [
        r#"{"system": "Be brief.", "messages": [{"role": "user", "content": "hi"}]}"#,
        r#"{"system": [{"type": "text", "text": "Be brief."}], "messages": [{"role": "user", "content": "hi"}]}"#,
        r#"{"instructions": "Be brief.", "input": "hi"}"#,
        r#"{"instructions": "Be brief.", "input": [{"role": "user", "content": "hi"}]}"#,
        r#"{"input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]}"#,
        r#"{"system": "Be brief.", "prompt": "hi"}"#,
        r#"{"prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]}"#,
        r#"{"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": [{"role": "user", "parts": [{"text": "hi"}]}]}"#,
        r#"{"preamble": "Be brief.", "message": "hi"}"#,
        r#"{"chat_history": [{"role": "system", "content": "Be brief."}], "input": "hi"}"#,
        r#"{"message": "hi", "chat_history": [{"role": "system", "message": "Be brief."}]}"#,
        r#"[["system", "Be brief."], ["human", "hi"]]"#,
    ] {
        assert_eq!(lines(GEN_AI_INPUT_MESSAGES, value), two, "{value}");
    }
    // The responses API has calls and their answers beside the messages.
    let value = r#"[{"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "3"}]"#;
    let expected = [
        "0.role=assistant",
        "0.tool_calls.0.arguments={}",
        "0.tool_calls.0.id=c1",
        "0.tool_calls.0.name=add",
        "1.content=3",
        "1.role=tool",
        "1.tool_call_id=c1",
    ];
    assert_eq!(lines(GEN_AI_INPUT_MESSAGES, value), expected);
}

#[test]
fn what_a_tool_gave_is_text_unless_it_is_an_object_or_a_list() {
    for text in [
        "1.10",
        "123456789012345678901",
        "null",
        "true",
        "",
        "\"quoted\"",
        "sunny",
    ] {
        let before = [(GEN_AI_TOOL_RESULT, json!(text))];
        assert_eq!(
            added(&before),
            pairs(&[("honeyhive_outputs.result", text)]),
            "{text}"
        );
    }
    let before = [(
        GEN_AI_TOOL_RESULT,
        json!(r#"{"price": "1.10", "id": 123456789012345678901}"#),
    )];
    let expected = [
        ("honeyhive_outputs.result.id", "123456789012345678901"),
        ("honeyhive_outputs.result.price", "1.10"),
    ];
    assert_eq!(added(&before), pairs(&expected));
    let number = placed(span(vec![KeyValue::new(GEN_AI_TOOL_RESULT, 5)]));
    assert_eq!(number, pairs(&[("honeyhive_outputs.result", "5")]));
}

/// A family of attributes becomes a list of others.
type Family<'f> = (&'f [(&'static str, &'static str)], &'f [(&'f str, &'f str)]);

/// The chat is a question and its answer.
const CHAT: &[(&str, &str)] = &[
    ("honeyhive_inputs.chat_history.0.content", "hi"),
    ("honeyhive_inputs.chat_history.0.role", "user"),
    ("honeyhive_outputs.content", "yes"),
    ("honeyhive_outputs.role", "assistant"),
];

#[test]
fn messages_that_came_one_attribute_a_leaf_are_messages_too() {
    let families: [Family<'_>; 18] = [
        (
            &[
                ("llm.input_messages.0.message.role", "user"),
                (
                    "llm.input_messages.0.message.contents.0.message_content.type",
                    "text",
                ),
                (
                    "llm.input_messages.0.message.contents.0.message_content.text",
                    "hi",
                ),
                (
                    "llm.input_messages.0.message.contents.1.message_content.type",
                    "image",
                ),
                (
                    "llm.input_messages.0.message.contents.1.message_content.image.image.url",
                    "https://x",
                ),
                ("llm.output_messages.0.message.role", "assistant"),
                (
                    "llm.output_messages.0.message.tool_calls.0.tool_call.id",
                    "c1",
                ),
                (
                    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name",
                    "add",
                ),
                (
                    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
                    "{}",
                ),
            ],
            &[
                (
                    "honeyhive_inputs.chat_history.0.content",
                    "hi\n[image: https://x]",
                ),
                ("honeyhive_inputs.chat_history.0.role", "user"),
                ("honeyhive_outputs.role", "assistant"),
                ("honeyhive_outputs.tool_calls.0.arguments", "{}"),
                ("honeyhive_outputs.tool_calls.0.id", "c1"),
                ("honeyhive_outputs.tool_calls.0.name", "add"),
            ],
        ),
        (
            &[
                ("gen_ai.prompt.0.role", "system"),
                ("gen_ai.prompt.0.content", "Be brief."),
                ("gen_ai.prompt.1.role", "user"),
                (
                    "gen_ai.prompt.1.content",
                    "[{\"type\": \"text\", \"text\": \"hi\"}]",
                ),
                ("gen_ai.completion.0.role", "assistant"),
                ("gen_ai.completion.0.content", "yes"),
                ("gen_ai.completion.0.finish_reason", "stop"),
            ],
            &[
                ("honeyhive_inputs.chat_history.0.content", "Be brief."),
                ("honeyhive_inputs.chat_history.0.role", "system"),
                ("honeyhive_inputs.chat_history.1.content", "hi"),
                ("honeyhive_inputs.chat_history.1.role", "user"),
                ("honeyhive_outputs.content", "yes"),
                ("honeyhive_outputs.finish_reason", "stop"),
                ("honeyhive_outputs.role", "assistant"),
            ],
        ),
        (
            &[
                ("llm.prompts.0.content", "hi"),
                ("llm.completions.0.content", "yes"),
            ],
            &[
                ("honeyhive_inputs.chat_history.0.content", "hi"),
                ("honeyhive_inputs.chat_history.0.role", "user"),
                ("honeyhive_outputs.content", "yes"),
                ("honeyhive_outputs.role", "assistant"),
            ],
        ),
        (
            &[
                (
                    "langfuse.observation.input",
                    r#"[{"role": "user", "content": "hi"}]"#,
                ),
                ("langfuse.observation.output", "yes"),
            ],
            &[
                ("honeyhive_inputs.chat_history.0.content", "hi"),
                ("honeyhive_inputs.chat_history.0.role", "user"),
                ("honeyhive_outputs.text", "yes"),
            ],
        ),
        (
            &[
                ("traceloop.entity.input", r#"{"args": ["hi"]}"#),
                ("traceloop.entity.output", r#"{"sum": 2}"#),
            ],
            &[
                ("honeyhive_inputs.args.0", "hi"),
                ("honeyhive_outputs.result.sum", "2"),
            ],
        ),
        // The attributes are OpenInference's as it was: prompts and choices by number, messages as one text, dots
        // within names.
        (
            &[
                ("llm.prompts.0.prompt.text", "hi"),
                ("llm.choices.0.completion.text", "yes"),
            ],
            CHAT,
        ),
        (
            &[
                (
                    "llm.input_messages",
                    r#"[{"message.role": "user", "message.content": "hi"}]"#,
                ),
                (
                    "llm.output_messages",
                    r#"[{"message": {"role": "assistant", "content": "yes"}}]"#,
                ),
            ],
            CHAT,
        ),
        (
            &[
                ("llm.input_messages.0.message.role", "user"),
                ("llm.input_messages.0.message.content", ""),
                (
                    "llm.input_messages.0.message.contents.0.message_content.text",
                    "hi",
                ),
                ("llm.output_messages.0.message.content", "yes"),
            ],
            CHAT,
        ),
        // The attributes are those of today's conventions, a leaf each.
        (
            &[
                ("gen_ai.input.messages.0.role", "user"),
                ("gen_ai.input.messages.0.parts.0.content", "hi"),
                ("gen_ai.output.messages.0.content", "yes"),
            ],
            CHAT,
        ),
        (
            &[
                ("gen_ai.system_instructions.0.type", "text"),
                ("gen_ai.system_instructions.0.content", "Be brief."),
            ],
            &[
                ("honeyhive_inputs.chat_history.0.content", "Be brief."),
                ("honeyhive_inputs.chat_history.0.role", "system"),
            ],
        ),
        (
            &[
                (
                    "langfuse.trace.input",
                    r#"[{"role": "user", "content": "hi"}]"#,
                ),
                (
                    "langfuse.trace.output",
                    r#"{"role": "assistant", "content": "yes"}"#,
                ),
            ],
            CHAT,
        ),
        // The attributes are those of Vercel's AI SDK.
        (
            &[
                (
                    "ai.prompt.messages",
                    r#"[{"role": "user", "content": [{"type": "text", "text": "hi"}]}]"#,
                ),
                ("ai.prompt", r#"{"prompt": "ho"}"#),
                ("ai.response.text", "yes"),
            ],
            CHAT,
        ),
        (
            &[
                ("ai.prompt", r#"{"system": "Be brief.", "prompt": "hi"}"#),
                (
                    "ai.response.toolCalls",
                    r#"[{"toolCallId": "c1", "toolName": "add", "args": "{}"}]"#,
                ),
            ],
            &[
                ("honeyhive_inputs.chat_history.0.content", "Be brief."),
                ("honeyhive_inputs.chat_history.0.role", "system"),
                ("honeyhive_inputs.chat_history.1.content", "hi"),
                ("honeyhive_inputs.chat_history.1.role", "user"),
                ("honeyhive_outputs.role", "assistant"),
                ("honeyhive_outputs.tool_calls.0.arguments", "{}"),
                ("honeyhive_outputs.tool_calls.0.id", "c1"),
                ("honeyhive_outputs.tool_calls.0.name", "add"),
            ],
        ),
        (
            &[
                ("ai.toolCall.args", r#"{"city": "Paris"}"#),
                ("ai.toolCall.result", "1.10"),
            ],
            &[
                ("honeyhive_inputs.city", "Paris"),
                ("honeyhive_outputs.text", "1.10"),
            ],
        ),
        (
            &[("ai.prompt", "hi"), ("ai.response.object", r#"{"a": 1}"#)],
            &[
                ("honeyhive_inputs.chat_history.0.content", "hi"),
                ("honeyhive_inputs.chat_history.0.role", "user"),
                ("honeyhive_outputs.result.a", "1"),
            ],
        ),
        // Values that state that they are text are no JSON.
        (
            &[
                ("input.value", "[1.10]"),
                ("input.mime_type", "text/plain"),
                ("output.value", "[1.10]"),
                ("output.mime_type", "text/plain"),
            ],
            &[
                ("honeyhive_inputs.input", "[1.10]"),
                ("honeyhive_outputs.text", "[1.10]"),
            ],
        ),
        (
            &[("input.value", "hi"), ("output.value", "1.10")],
            &[
                ("honeyhive_inputs.input", "hi"),
                ("honeyhive_outputs.text", "1.10"),
            ],
        ),
        (
            &[
                (GEN_AI_PROMPT, r#"[{"role": "user", "content": "hi"}]"#),
                (
                    GEN_AI_COMPLETION,
                    r#"[{"role": "assistant", "content": "yes"}]"#,
                ),
            ],
            &[
                ("honeyhive_inputs.chat_history.0.content", "hi"),
                ("honeyhive_inputs.chat_history.0.role", "user"),
                ("honeyhive_outputs.content", "yes"),
                ("honeyhive_outputs.role", "assistant"),
            ],
        ),
    ];
    for (before, expected) in families {
        let attributes = before
            .iter()
            .map(|(key, value)| KeyValue::new(*key, *value));
        assert_eq!(placed(span(attributes.collect())), pairs(expected));
    }
    let texts = Array::String(vec![
        StringValue::from("hi"),
        StringValue::from(r#"{"role": "user", "content": "ho"}"#),
    ]);
    for key in [GEN_AI_INPUT_MESSAGES, "llm.input_messages", "llm.prompts"] {
        let texts = Attribute::Array(texts.clone());
        let listed = placed(span(vec![KeyValue::new(key, texts)]));
        let second = ("honeyhive_inputs.chat_history.1.content", "ho");
        assert_eq!(listed.get(2..3), Some(&pairs(&[second])[..]), "{key}");
    }
}

#[test]
fn messages_that_came_as_events_are_messages_too() {
    let event = |name: &'static str, attributes: &[(&'static str, &'static str)]| {
        let attributes = attributes
            .iter()
            .map(|(key, value)| KeyValue::new(*key, *value));
        opentelemetry::trace::Event::new(name, SystemTime::UNIX_EPOCH, attributes.collect(), 0)
    };
    let with = |events: Vec<opentelemetry::trace::Event>| {
        let mut span = span(Vec::new());
        span.events.events = events;
        placed(span)
    };
    let expected = pairs(&[
        ("honeyhive_inputs.chat_history.0.content", "Be brief."),
        ("honeyhive_inputs.chat_history.0.role", "system"),
        ("honeyhive_inputs.chat_history.1.content", "hi"),
        ("honeyhive_inputs.chat_history.1.role", "user"),
        ("honeyhive_outputs.content", "yes"),
        ("honeyhive_outputs.finish_reason", "stop"),
        ("honeyhive_outputs.role", "assistant"),
    ]);
    let events = vec![
        event("gen_ai.system.message", &[("content", "Be brief.")]),
        event(
            "gen_ai.user.message",
            &[("content", "hi"), ("gen_ai.system", "x")],
        ),
        event(
            "gen_ai.choice",
            &[
                ("index", "0"),
                ("finish_reason", "stop"),
                ("message", r#"{"role": "assistant", "content": "yes"}"#),
            ],
        ),
    ];
    assert_eq!(with(events), expected);
    let events = vec![event(
        "gen_ai.client.inference.operation.details",
        &[
            (GEN_AI_SYSTEM_INSTRUCTIONS, "Be brief."),
            (
                GEN_AI_INPUT_MESSAGES,
                r#"[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]"#,
            ),
            (
                GEN_AI_OUTPUT_MESSAGES,
                r#"[{"role": "assistant", "parts": [{"type": "text", "content": "yes"}], "finish_reason": "stop"}]"#,
            ),
        ],
    )];
    assert_eq!(with(events), expected);
    let events = vec![
        event("gen_ai.content.prompt", &[(GEN_AI_PROMPT, "hi")]),
        event("gen_ai.content.completion", &[(GEN_AI_COMPLETION, "yes")]),
    ];
    let expected = pairs(&[
        ("honeyhive_inputs.chat_history.0.content", "hi"),
        ("honeyhive_inputs.chat_history.0.role", "user"),
        ("honeyhive_outputs.content", "yes"),
        ("honeyhive_outputs.role", "assistant"),
    ]);
    assert_eq!(with(events), expected);
}

#[test]
fn a_reason_that_is_not_known_gives_way_to_the_one_that_is() {
    let said = json!([{"role": "assistant", "parts": [{"type": "text", "content": "Hi."}], "finish_reason": "unknown"}]);
    let reason = |before: &[(&'static str, Json)]| {
        let added = added(before).into_iter();
        let mut reasons = added.filter(|(key, _)| key == "honeyhive_outputs.finish_reason");
        reasons.next().map(|(_, value)| value)
    };
    let unknown = (GEN_AI_OUTPUT_MESSAGES, said);
    let known = ("gen_ai.response.finish_reasons", json!(["stop"]));
    assert_eq!(reason(&[unknown.clone(), known]).as_deref(), Some("stop"));
    assert_eq!(reason(&[unknown]), None);
}

#[test]
fn the_prompt_of_an_agent_stands_behind_its_instructions() {
    let instructions = (
        GEN_AI_SYSTEM_INSTRUCTIONS,
        json!([{"type": "text", "content": "Be brief."}]),
    );
    let before = [instructions, (GEN_AI_PROMPT, json!("Weather?"))];
    assert_eq!(
        added(&before),
        pairs(&[
            ("honeyhive_inputs.chat_history.0.content", "Be brief."),
            ("honeyhive_inputs.chat_history.0.role", "system"),
            ("honeyhive_inputs.chat_history.1.content", "Weather?"),
            ("honeyhive_inputs.chat_history.1.role", "user"),
        ])
    );
}
