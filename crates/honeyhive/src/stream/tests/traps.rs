//! Streams as servers send them besides what their documents say, a row each.

use std::time::Duration;

use serde_json::{Value, json};

use super::fixtures::events;
use super::{Assembler, Cause, Content, NOW, says, summary};

/// What was sent, where in the summary to look, and what stands there.
type Row = (&'static str, String, &'static str, Value);

fn rows() -> Vec<Row> {
    let row = |name, stream: &[&str], at, is| (name, events(stream), at, is);
    vec![
        row(
            "OpenRouter: usage with an empty text after the reason",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#,
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            ],
            "",
            json!({"ending": "complete", "choices": [{"text": "Hi", "finish_reason": "stop"}], "usage": {"input": 1, "output": 2}}),
        ),
        row(
            "Qwen: an empty id with each piece of a tool's arguments",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":":1}"}}]}}]}"#,
            ],
            "/choices/0/tool_calls",
            json!([{"id": "a", "name": "f", "arguments": "{\"x\":1}"}]),
        ),
        row(
            "tools that begin in another order than they stand in",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"["}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}},{"index":0,"function":{"arguments":"]"}}]}}]}"#,
            ],
            "/choices/0/tool_calls",
            json!([{"id": "a", "name": "f", "arguments": "[]"}, {"id": "b", "name": "g", "arguments": "{}"}]),
        ),
        (
            "Ollama: a line for each tool, without ids and indexes",
            [
                r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]},"done":false}"#,
                r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":2}}}]},"done":true}"#,
            ]
            .join("\n"),
            "/choices/0/tool_calls",
            json!([{"name": "f", "arguments": "{\"x\":1}"}, {"name": "f", "arguments": "{\"x\":2}"}]),
        ),
        row(
            "OpenAI Responses: thoughts and their summary in one item",
            &[
                r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"In short."}"#,
                r#"{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"At length."}"#,
                r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","summary":[{"type":"summary_text","text":"In short."}],"content":[{"type":"reasoning_text","text":"At length."}]}}"#,
            ],
            "/choices/0/reasoning",
            json!("In short.\nAt length."),
        ),
        row(
            "Anthropic: a text on both sides of a tool",
            &[
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Let me "}}"#,
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"look."}}"#,
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"a","name":"search","input":{}}}"#,
                r#"{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"Found."}}"#,
            ],
            "/choices/0/text",
            json!("Let me look.\nFound."),
        ),
        row(
            "Gemini: a text on both sides of a tool",
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"Let me look."},{"functionCall":{"name":"f","args":{}}}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"Found."}]}}]}"#,
            ],
            "/choices/0/text",
            json!("Let me look.\nFound."),
        ),
        row(
            "Vercel UI messages: a text on both sides of a tool, and counts as in version 6",
            &[
                r#"{"type":"start"}"#,
                r#"{"type":"text-delta","id":"1","delta":"Let me look."}"#,
                r#"{"type":"tool-input-available","toolCallId":"a","toolName":"f","input":{"x":1}}"#,
                r#"{"type":"text-delta","id":"2","delta":"Found."}"#,
                r#"{"type":"finish","messageMetadata":{"totalUsage":{"inputTokens":11,"inputTokenDetails":{"cacheReadTokens":4,"cacheWriteTokens":2},"outputTokens":7,"outputTokenDetails":{"reasoningTokens":3}}}}"#,
            ],
            "",
            json!({"ending": "complete",
                "choices": [{"text": "Let me look.\nFound.", "tool_calls": [{"id": "a", "name": "f", "arguments": "{\"x\":1}"}]}],
                "usage": {"input": 11, "output": 7, "cache_read": 4, "cache_write": 2, "reasoning": 3}}),
        ),
        (
            "Mistral: an error without a name of its own",
            r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}"#.to_owned(),
            "/error",
            json!({"kind": "invalid_model", "message": "Invalid model: x"}),
        ),
    ]
}

#[test]
fn each_trap_is_a_row() {
    for (name, stream, at, is) in rows() {
        let said = says(&stream);
        assert_eq!(said.pointer(at), Some(&is), "{name}\n{said:#}");
    }
}

/// Gemini's stream where nobody has asked for events.
#[test]
fn a_list_is_read_while_it_comes_and_says_what_came_where_it_is_let_go() {
    let pieces = [
        "[{\n  \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\"}]}}]\n}\n",
        ",\r\n{\n  \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\\\"}{[\"}]}}],\n  \"usageMetadata\": {\"promptTokenCount\": 3}\n}\n",
        ",\r\n{\n  \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"cut o",
    ];
    let mut assembler = Assembler::new(Content::of(Some("application/json"), None), false);
    for (at, piece) in (1..).zip(pieces) {
        assembler.take(piece.as_bytes(), Duration::from_secs(at));
    }
    let ending = assembler.finish(Cause::Dropped);
    let said = json!({"choices": [{"text": "\"}{["}], "usage": {"input": 3}, "ending": "dropped"});
    assert_eq!(summary(&assembler, ending), said);
    assert_eq!(assembler.first_token(), Some(Duration::from_secs(2)));
}

#[test]
fn a_voice_is_counted_and_ends_with_its_response() {
    for (cause, expected) in [(Cause::End, "complete"), (Cause::Dropped, "dropped")] {
        let mut assembler = Assembler::new(Content::of(Some("audio/mpeg"), None), false);
        assembler.take(&[b'{'; 1000], NOW);
        assembler.take(&[0; 1000], NOW);
        assert_eq!(assembler.finish(cause).name(), expected);
        let outputs = json!(assembler.reply_mut().outputs());
        assert_eq!(outputs, json!({"audio": "[audio, 2 KB]"}));
    }
}
