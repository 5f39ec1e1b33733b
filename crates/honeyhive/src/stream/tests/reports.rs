//! The rows are public reports of failures elsewhere, with streams like this: none may fail here.

use serde_json::{Value, json};

use super::super::{Assembler, Cause, Content};
use super::fixtures::events;
use super::{NOW, after, says, summary};

struct Row {
    report: &'static str,
    stream: String,
    /// The path is that in the summary, where the expected value stands.
    at: &'static str,
    is: Value,
}

fn rows() -> Vec<Row> {
    let row = |report, stream: &[&str], at, is| Row {
        report,
        stream: events(stream),
        at,
        is,
    };
    vec![
        row(
            "langfuse/langfuse#12306, traceloop/openllmetry#4099: cache added to an input that has it already",
            &[
                r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":80}}}"#,
                "[DONE]",
            ],
            "/usage",
            json!({"input": 100, "output": 5, "cache_read": 80}),
        ),
        row(
            "braintrust-sdk-python#445: cached tokens twice",
            &[
                r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":1}}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":10,"cache_read_input_tokens":90,"output_tokens":8}}"#,
                r#"{"type":"message_stop"}"#,
            ],
            "/usage",
            json!({"input": 100, "output": 8, "cache_read": 90}),
        ),
        row(
            "traceloop/openllmetry#4462, microsoft/agent-framework#7143, agno-agi/agno#6264: counts so far added up",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":10,"completion_tokens":1}}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":10,"completion_tokens":2}}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"c"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#,
            ],
            "/usage",
            json!({"input": 10, "output": 3}),
        ),
        row(
            "Arize-ai/openinference#3499: one null blanks the span",
            &[
                r#"{"id":null,"model":"m","choices":[{"index":0,"delta":{"content":null,"tool_calls":null,"role":null},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":null,"prompt_tokens_details":null}}"#,
                r#"{"id":7,"model":["?"],"choices":[{"index":"0","delta":{"content":"still here"},"finish_reason":3},null,7],"usage":"none"}"#,
            ],
            "/choices/0/text",
            json!("still here"),
        ),
        row(
            "pydantic/logfire#1651: the Responses stream loses its usage",
            &[
                r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"x"}"#,
                r#"{"type":"response.completed","response":{"status":"completed","output":[],"usage":{"input_tokens":4,"output_tokens":2}}}"#,
            ],
            "/usage",
            json!({"input": 4, "output": 2}),
        ),
        row(
            "pydantic/logfire#542: streamed calls of tools are missing",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}}]}"#,
            ],
            "/choices/0/tool_calls",
            json!([{"id": "a", "name": "f", "arguments": "{}"}]),
        ),
        row(
            "pydantic/logfire#1280: streamed usage is not reported (Groq says it elsewhere)",
            &[
                r#"{"id":"g","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":6,"completion_tokens":2}}}"#,
            ],
            "/usage",
            json!({"input": 6, "output": 2}),
        ),
        row(
            "BerriAI/litellm#4562: an error in the middle is swallowed",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"Half an"}}]}"#,
                r#"{"error":{"message":"The server had an error","type":"server_error","param":null,"code":"server_error"}}"#,
            ],
            "/error",
            json!({"kind": "server_error", "message": "The server had an error"}),
        ),
        row(
            "BerriAI/litellm#28735: a chunk with usage and choices",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
            ],
            "",
            json!({"ending": "complete", "choices": [{"text": "x", "finish_reason": "stop"}], "usage": {"input": 1, "output": 1}}),
        ),
        row(
            "BerriAI/litellm#2195: a reason to stop with every chunk",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}"#,
            ],
            "/choices/0",
            json!({"text": "ab", "finish_reason": "stop"}),
        ),
        row(
            "traceloop/openllmetry-js#464: only the last piece of a tool",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
            ],
            "/choices/0/tool_calls/0/arguments",
            json!("{\"x\":1}"),
        ),
        row(
            "openlit/openlit#1398: parallel tools are merged",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"1"}},{"id":"b","function":{"name":"g","arguments":"2"}}]}}]}"#,
            ],
            "/choices/0/tool_calls",
            json!([{"id": "a", "name": "f", "arguments": "1"}, {"id": "b", "name": "g", "arguments": "2"}]),
        ),
        row(
            "LibreChat-AI/agents#260: every tool has index 0",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"2"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"3"}}]}}]}"#,
            ],
            "/choices/0/tool_calls",
            json!([{"id": "a", "name": "f", "arguments": "1"}, {"id": "b", "name": "g", "arguments": "23"}]),
        ),
        row(
            "envoyproxy/ai-gateway#2184: usage is missed on failed",
            &[
                r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"boom"},"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            ],
            "/usage",
            json!({"input": 3, "output": 1}),
        ),
        row(
            "envoyproxy/ai-gateway#2184: and on incomplete",
            &[
                r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":3,"output_tokens":9}}}"#,
            ],
            "/usage",
            json!({"input": 3, "output": 9}),
        ),
    ]
}

#[test]
fn each_report_is_a_row() {
    for Row {
        report,
        stream,
        at,
        is,
    } in rows()
    {
        let said = says(&stream);
        assert_eq!(said.pointer(at), Some(&is), "{report}\n{said:#}");
    }
}

/// The report is BerriAI/litellm#18842.
#[test]
fn a_character_split_over_chunks_stays_whole() {
    let stream = events(&[r#"{"choices":[{"index":0,"delta":{"content":"Zwölf 🌳"}}]}"#]);
    let mut assembler = after(stream.as_bytes().chunks(1));
    let ending = assembler.finish(Cause::End);
    assert_eq!(
        summary(&assembler, ending)["choices"][0]["text"],
        "Zwölf 🌳"
    );
}

/// The reports are BerriAI/litellm#14457 and Arize-ai/openinference#3796.
#[test]
fn an_abandoned_stream_says_what_it_has_said_so_far() {
    let stream = events(&[
        r#"{"type":"message_start","message":{"id":"m","model":"claude","usage":{"input_tokens":7,"output_tokens":1}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Half"}}"#,
    ]);
    let mut assembler = after([stream.as_bytes()]);
    let ending = assembler.finish(Cause::Dropped);
    let expected = json!({"id": "m", "model": "claude", "ending": "dropped",
        "choices": [{"text": "Half"}], "usage": {"input": 7, "output": 1}});
    assert_eq!(summary(&assembler, ending), expected);
}

/// The reports are braintrust-sdk-javascript#2110 and #617.
#[test]
fn the_first_token_is_the_first_that_says_something_and_stays() {
    use std::time::Duration;
    let pieces = [
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"Hi"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ];
    let mut assembler = Assembler::new(Content::Unknown, false);
    for (at, piece) in (1..).zip(pieces) {
        assembler.take(events(&[piece]).as_bytes(), Duration::from_secs(at));
    }
    assembler.finish(Cause::End);
    assert_eq!(assembler.first_chunk(), Some(Duration::from_secs(1)));
    assert_eq!(assembler.first_token(), Some(Duration::from_secs(2)));
}

/// The reports are vm0-ai/vm0#8884 and #24687.
#[test]
fn compressed_bytes_are_nobodys_words_and_a_mark_at_the_front_is_none() {
    let gzip = Content::of(Some("text/event-stream"), Some("gzip"));
    let mut assembler = Assembler::new(gzip, false);
    assembler.take(&[0x1f, 0x8b, 8, 0, 0, 0], NOW);
    assert!(!assembler.is_known());
    let body = "\u{feff}{\"choices\":[{\"message\":{\"content\":\"x\"}}]}";
    assert_eq!(says(body)["choices"][0]["text"], "x");
}

/// The report is jpopesculian/eventsource-stream#10.
#[test]
fn a_byte_order_mark_before_events_is_passed_over() {
    let stream = format!(
        "\u{feff}{}",
        events(&[r#"{"choices":[{"delta":{"content":"x"}}]}"#])
    );
    assert_eq!(says(&stream)["choices"][0]["text"], "x");
}
