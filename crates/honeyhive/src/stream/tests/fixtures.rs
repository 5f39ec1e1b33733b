//! The streams are written by hand, in the words of each API, with what the assembler is to read.

use serde_json::{Value, json};

/// A fixture is a stream, the same answer as a whole body where the API has one, and the summary of both.
pub(crate) struct Fixture {
    pub(super) name: &'static str,
    pub(crate) stream: String,
    pub(crate) whole: Option<&'static str>,
    pub(super) says: Value,
}

/// Returns events without names.
pub(super) fn events(events: &[&str]) -> String {
    events.iter().map(|it| format!("data: {it}\n\n")).collect()
}

/// Returns events that have the name of their type.
fn named(events: &[&str]) -> String {
    let name = |json: &str| {
        let event: Value = serde_json::from_str(json).expect("JSON");
        let kind = event.get("type").or_else(|| event.get("event_type"));
        kind.and_then(Value::as_str).expect("a type").to_owned()
    };
    events
        .iter()
        .map(|it| format!("event: {}\ndata: {it}\n\n", name(it)))
        .collect()
}

pub(crate) fn all() -> Vec<Fixture> {
    let chat = [
        chat_text(),
        chat_tools(),
        chat_reasoning(),
        chat_refusal(),
        chat_choices(),
        azure(),
        mistral(),
    ];
    let responses = [responses_text(), responses_incomplete()];
    let others = [
        anthropic(),
        gemini(),
        gemini_partial(),
        interaction(),
        ui_messages(),
        data_stream(),
        ollama(),
    ];
    chat.into_iter().chain(responses).chain(others).collect()
}

fn chat_text() -> Fixture {
    Fixture {
        name: "OpenAI chat: text and usage",
        stream: events(&[
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-x-2026","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-x-2026","choices":[{"index":0,"delta":{"content":"Zwölf "},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-x-2026","choices":[{"delta":{"content":"B\u00e4ume \ud83c\udf33"},"finish_reason":null,"index":0}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-x-2026","choices":[{"index":0,"delta":{"content":"\n& \"more\"."},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-x-2026","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-x-2026","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
            "[DONE]",
        ]),
        whole: Some(
            r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-x-2026","choices":[{"index":0,"message":{"role":"assistant","content":"Zwölf Bäume 🌳\n& \"more\".","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
        ),
        says: json!({
            "id": "chatcmpl-1", "model": "gpt-x-2026", "ending": "complete",
            "choices": [{"text": "Zwölf Bäume 🌳\n& \"more\".", "finish_reason": "stop"}],
            "usage": {"input": 11, "output": 7, "cache_read": 4, "reasoning": 3},
        }),
    }
}

fn chat_tools() -> Fixture {
    Fixture {
        name: "OpenAI chat: parallel tools",
        stream: events(&[
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"weather","arguments":""}}]}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"ci"}}]}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"clock","arguments":"{\"tz\":"}}]}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"\"UTC\"}"}},{"index":0,"function":{"arguments":"ty\":\"Paris\"}"}}]}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
            "[DONE]",
        ]),
        whole: Some(
            r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}},{"id":"call_b","type":"function","function":{"name":"clock","arguments":"{\"tz\":\"UTC\"}"}}]},"finish_reason":"tool_calls"}]}"#,
        ),
        says: json!({
            "id": "c", "model": "m", "ending": "complete",
            "choices": [{"finish_reason": "tool_calls", "tool_calls": [
                {"id": "call_a", "name": "weather", "arguments": "{\"city\":\"Paris\"}"},
                {"id": "call_b", "name": "clock", "arguments": "{\"tz\":\"UTC\"}"},
            ]}],
        }),
    }
}

fn chat_reasoning() -> Fixture {
    Fixture {
        name: "OpenAI-like chat: reasoning apart",
        stream: events(&[
            r#"{"choices":[{"index":0,"delta":{"reasoning_content":"Let me "}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"reasoning_content":"think."}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"Forty-two."},"finish_reason":"stop"}]}"#,
            "[DONE]",
        ]),
        whole: Some(
            r#"{"choices":[{"message":{"content":"Forty-two.","reasoning_content":"Let me think."},"finish_reason":"stop"}]}"#,
        ),
        says: json!({"ending": "complete",
            "choices": [{"text": "Forty-two.", "reasoning": "Let me think.", "finish_reason": "stop"}]}),
    }
}

fn chat_refusal() -> Fixture {
    Fixture {
        name: "OpenAI chat: a refusal",
        stream: events(&[
            r#"{"choices":[{"index":0,"delta":{"content":null,"refusal":""}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"refusal":"I cannot "}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"refusal":"do that."}}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            "[DONE]",
        ]),
        whole: Some(
            r#"{"choices":[{"index":0,"message":{"content":null,"refusal":"I cannot do that."},"finish_reason":"stop"}]}"#,
        ),
        says: json!({"ending": "complete",
            "choices": [{"refusal": "I cannot do that.", "finish_reason": "stop"}]}),
    }
}

fn chat_choices() -> Fixture {
    Fixture {
        name: "OpenAI chat: two choices, woven",
        stream: events(&[
            r#"{"choices":[{"index":1,"delta":{"content":"Tails"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"Heads"}},{"index":1,"delta":{"content":"?"}}]}"#,
            r#"{"choices":[{"delta":{"content":"!"},"index":0}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}"#,
            "[DONE]",
        ]),
        whole: Some(
            r#"{"choices":[{"index":0,"message":{"content":"Heads!"},"finish_reason":"stop"},{"index":1,"message":{"content":"Tails?"},"finish_reason":"length"}]}"#,
        ),
        says: json!({"ending": "complete", "choices": [
            {"text": "Heads!", "finish_reason": "stop"},
            {"text": "Tails?", "finish_reason": "length"},
        ]}),
    }
}

fn azure() -> Fixture {
    Fixture {
        name: "Azure: results of the filter first",
        stream: events(&[
            r#"{"id":"","object":"","model":"","choices":[],"created":0,"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}"#,
            r#"{"id":"chatcmpl-9","model":"gpt-x","choices":[{"index":0,"delta":{"content":"Hi"},"content_filter_results":{}}]}"#,
            r#"{"id":"chatcmpl-9","model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            "[DONE]",
        ]),
        whole: None,
        says: json!({"id": "chatcmpl-9", "model": "gpt-x", "ending": "complete",
            "choices": [{"text": "Hi", "finish_reason": "stop"}]}),
    }
}

fn mistral() -> Fixture {
    Fixture {
        name: "Mistral: typed chunks, usage with the reason",
        stream: events(&[
            r#"{"id":"m1","model":"magistral","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]}}]}"#,
            r#"{"id":"m1","model":"magistral","choices":[{"index":0,"delta":{"content":[{"type":"text","text":"Yes"},{"type":"reference","reference_ids":[1]}]}}]}"#,
            r#"{"id":"m1","model":"magistral","choices":[{"index":0,"delta":{"content":"."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3}}"#,
            "[DONE]",
        ]),
        whole: None,
        says: json!({"id": "m1", "model": "magistral", "ending": "complete",
            "choices": [{"text": "Yes.", "reasoning": "Hm.", "finish_reason": "stop"}],
            "usage": {"input": 5, "output": 3}}),
    }
}

fn responses_text() -> Fixture {
    Fixture {
        name: "OpenAI Responses: reasoning, text, a tool, ids that change",
        stream: named(&[
            r#"{"type":"response.created","response":{"id":"resp_1","object":"response","model":"gpt-r","status":"in_progress","output":[],"usage":null,"error":null}}"#,
            r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
            r#"{"type":"response.reasoning_summary_text.delta","item_id":"x1","output_index":0,"summary_index":0,"delta":"Thin"}"#,
            r#"{"type":"response.reasoning_summary_text.delta","item_id":"x2","output_index":0,"summary_index":0,"delta":"king."}"#,
            r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"msg_1","type":"message","role":"assistant","content":[]}}"#,
            r#"{"type":"response.output_text.delta","item_id":"y1","output_index":1,"content_index":0,"delta":"Forty"}"#,
            r#"{"type":"response.output_text.delta","item_id":"y2","output_index":1,"content_index":0,"delta":"-two"}"#,
            r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"y3","type":"message","role":"assistant","content":[{"type":"output_text","text":"Forty-two."}]}}"#,
            r#"{"type":"response.output_item.added","output_index":2,"item":{"id":"fc_1","type":"function_call","call_id":"call_a","name":"weather","arguments":""}}"#,
            r#"{"type":"response.function_call_arguments.delta","item_id":"z1","output_index":2,"delta":"{\"city\":"}"#,
            r#"{"type":"response.function_call_arguments.delta","item_id":"z2","output_index":2,"delta":"\"Paris\"}"}"#,
            r#"{"type":"response.function_call_arguments.done","item_id":"z3","output_index":2,"arguments":"{\"city\":\"Paris\"}"}"#,
            r#"{"type":"response.completed","response":{"id":"resp_1","object":"response","model":"gpt-r","status":"completed","output":[],"usage":{"input_tokens":11,"input_tokens_details":{"cached_tokens":4},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3}}}}"#,
        ]),
        whole: Some(
            r#"{"id":"resp_1","object":"response","model":"gpt-r","status":"completed","error":null,"incomplete_details":null,"output":[{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Thinking."}]},{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"Forty-two."}]},{"id":"fc_1","type":"function_call","call_id":"call_a","name":"weather","arguments":"{\"city\":\"Paris\"}"}],"usage":{"input_tokens":11,"input_tokens_details":{"cached_tokens":4},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3}}}"#,
        ),
        says: json!({
            "id": "resp_1", "model": "gpt-r", "ending": "complete",
            "choices": [{"text": "Forty-two.", "reasoning": "Thinking.", "finish_reason": "completed",
                "tool_calls": [{"id": "call_a", "name": "weather", "arguments": "{\"city\":\"Paris\"}"}]}],
            "usage": {"input": 11, "output": 7, "cache_read": 4, "reasoning": 3},
        }),
    }
}

fn responses_incomplete() -> Fixture {
    Fixture {
        name: "OpenAI Responses: incomplete, with usage",
        stream: named(&[
            r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Half an"}"#,
            r#"{"type":"response.incomplete","response":{"id":"resp_2","object":"response","model":"gpt-r","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":5,"output_tokens":2}}}"#,
        ]),
        whole: None,
        says: json!({"id": "resp_2", "model": "gpt-r", "ending": "complete",
            "choices": [{"text": "Half an", "finish_reason": "max_output_tokens"}],
            "usage": {"input": 5, "output": 2}}),
    }
}

fn anthropic() -> Fixture {
    Fixture {
        name: "Anthropic: thinking, text, tools, cache",
        stream: named(&[
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":43,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":1}}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"abc"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Let me "}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"look."}}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Paris\"}"}}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_2","name":"clock","input":{}}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":61,"cache_read_input_tokens":null,"output_tokens":15}}"#,
            r#"{"type":"message_stop"}"#,
        ]),
        whole: Some(
            r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"thinking","thinking":"Hm","signature":"abc"},{"type":"text","text":"Let me look."},{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Paris"}},{"type":"tool_use","id":"toolu_2","name":"clock","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":61,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":15}}"#,
        ),
        says: json!({
            "id": "msg_1", "model": "claude-x", "ending": "complete",
            "choices": [{"text": "Let me look.", "reasoning": "Hm", "finish_reason": "tool_use", "tool_calls": [
                {"id": "toolu_1", "name": "weather", "arguments": "{\"city\":\"Paris\"}"},
                {"id": "toolu_2", "name": "clock"},
            ]}],
            "usage": {"input": 181, "output": 15, "cache_read": 100, "cache_write": 20},
        }),
    }
}

fn gemini() -> Fixture {
    Fixture {
        name: "Gemini: thoughts, text, a call, counts that grow",
        stream: events(&[
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hm. ","thought":true}]}}],"usageMetadata":{"promptTokenCount":10,"thoughtsTokenCount":2,"totalTokenCount":12},"modelVersion":"gemini-x","responseId":"g1"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Sun"}]},"index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1,"thoughtsTokenCount":2},"modelVersion":"gemini-x","responseId":"g1"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"ny."},{"functionCall":{"name":"weather","args":{"city":"Paris"}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"thoughtsTokenCount":2,"toolUsePromptTokenCount":3,"cachedContentTokenCount":6},"modelVersion":"gemini-x","responseId":"g1"}"#,
        ]),
        whole: Some(
            r#"[{"candidates":[{"content":{"role":"model","parts":[{"text":"Hm. ","thought":true},{"text":"Sunny."}]}}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1},"modelVersion":"gemini-x","responseId":"g1"},
{"candidates":[{"content":{"parts":[{"functionCall":{"name":"weather","args":{"city":"Paris"}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"thoughtsTokenCount":2,"toolUsePromptTokenCount":3,"cachedContentTokenCount":6}}]"#,
        ),
        says: json!({
            "id": "g1", "model": "gemini-x", "ending": "complete",
            "choices": [{"text": "Sunny.", "reasoning": "Hm. ", "finish_reason": "STOP",
                "tool_calls": [{"name": "weather", "arguments": "{\"city\":\"Paris\"}"}]}],
            "usage": {"input": 13, "output": 6, "cache_read": 6, "reasoning": 2},
        }),
    }
}

fn gemini_partial() -> Fixture {
    Fixture {
        name: "Gemini: arguments by their paths",
        stream: events(&[
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"weather","willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.city","stringValue":"Par","willContinue":true}],"willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.city","stringValue":"is"},{"jsonPath":"$.days[0]","numberValue":2},{"jsonPath":"$.in.metric","boolValue":true}],"willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}]}"#,
        ]),
        whole: None,
        says: json!({"ending": "complete", "choices": [{"finish_reason": "STOP", "tool_calls": [
            {"name": "weather", "arguments": "{\"city\":\"Paris\",\"days\":[2],\"in\":{\"metric\":true}}"},
        ]}]}),
    }
}

fn interaction() -> Fixture {
    Fixture {
        name: "Gemini interactions: thoughts, tools of both sides, text",
        stream: named(&[
            r#"{"interaction":{"id":"v1_a","status":"in_progress","object":"interaction","model":"gemini-x"},"event_type":"interaction.created"}"#,
            r#"{"interaction_id":"v1_a","status":"in_progress","event_type":"interaction.status_update"}"#,
            r#"{"index":0,"step":{"type":"thought","signature":"","summary":[{"type":"text","text":"Hm"}]},"event_type":"step.start"}"#,
            r#"{"index":0,"delta":{"type":"thought_summary","content":{"type":"text","text":", let me see."}},"event_type":"step.delta"}"#,
            r#"{"index":0,"delta":{"type":"thought_signature","signature":"QUJD"},"event_type":"step.delta"}"#,
            r#"{"index":0,"event_type":"step.stop"}"#,
            r#"{"index":1,"step":{"type":"code_execution_call","id":"c1"},"event_type":"step.start"}"#,
            r#"{"index":1,"delta":{"type":"code_execution_call","id":"c1","arguments":{"language":"python","code":"print(1)"}},"event_type":"step.delta"}"#,
            r#"{"index":2,"step":{"type":"code_execution_result","call_id":"c1"},"event_type":"step.start"}"#,
            r#"{"index":2,"delta":{"type":"code_execution_result","result":"1\n","is_error":false},"event_type":"step.delta"}"#,
            r#"{"index":3,"step":{"type":"model_output"},"event_type":"step.start"}"#,
            r#"{"index":3,"delta":{"type":"text","text":"Sun"},"event_type":"step.delta"}"#,
            r#"{"index":3,"delta":{"type":"text","text":"ny."},"event_type":"step.delta"}"#,
            r#"{"index":4,"step":{"type":"function_call","id":"f1","name":"weather","arguments":{}},"event_type":"step.start"}"#,
            r#"{"index":4,"delta":{"type":"arguments_delta","arguments":"{\"city\":"},"event_type":"step.delta"}"#,
            r#"{"index":4,"delta":{"type":"arguments_delta","arguments":"\"Paris\"}"},"event_type":"step.delta"}"#,
            r#"{"index":4,"event_type":"step.stop"}"#,
            r#"{"interaction":{"id":"v1_a","status":"requires_action","usage":{"total_tokens":31,"total_input_tokens":10,"total_cached_tokens":4,"total_output_tokens":6,"total_tool_use_tokens":3,"total_thought_tokens":12},"object":"interaction","model":"gemini-x"},"event_type":"interaction.completed"}"#,
        ]) + "event: done\ndata: [DONE]\n\n",
        whole: Some(
            r#"{"id":"v1_a","object":"interaction","model":"gemini-x","status":"requires_action","steps":[
{"type":"thought","signature":"QUJD","summary":[{"type":"text","text":"Hm, let me see."}]},
{"type":"code_execution_call","id":"c1","arguments":{"language":"python","code":"print(1)"}},
{"type":"code_execution_result","call_id":"c1","result":"1\n"},
{"type":"model_output","content":[{"type":"text","text":"Sunny."}]},
{"type":"function_call","id":"f1","name":"weather","arguments":{"city":"Paris"}}],
"usage":{"total_tokens":31,"total_input_tokens":10,"total_cached_tokens":4,"total_output_tokens":6,"total_tool_use_tokens":3,"total_thought_tokens":12}}"#,
        ),
        says: json!({
            "id": "v1_a", "model": "gemini-x", "ending": "complete",
            "choices": [{"text": "Sunny.", "reasoning": "Hm, let me see.", "finish_reason": "requires_action", "tool_calls": [
                {"id": "c1", "name": "code_execution", "arguments": "print(1)", "result": "1\n"},
                {"id": "f1", "name": "weather", "arguments": "{\"city\":\"Paris\"}"},
            ]}],
            "usage": {"input": 13, "output": 18, "cache_read": 4, "reasoning": 12},
        }),
    }
}

fn ui_messages() -> Fixture {
    Fixture {
        name: "Vercel UI messages",
        stream: events(&[
            r#"{"type":"start","messageId":"u1"}"#,
            r#"{"type":"start-step"}"#,
            r#"{"type":"reasoning-start","id":"r"}"#,
            r#"{"type":"reasoning-delta","id":"r","delta":"Hm."}"#,
            r#"{"type":"tool-input-start","toolCallId":"t1","toolName":"weather"}"#,
            r#"{"type":"tool-input-delta","toolCallId":"t1","inputTextDelta":"{\"ci"}"#,
            r#"{"type":"tool-input-available","toolCallId":"t1","toolName":"weather","input":{"city":"Paris"}}"#,
            r#"{"type":"tool-output-available","toolCallId":"t1","output":{"sun":true}}"#,
            r#"{"type":"text-start","id":"p"}"#,
            r#"{"type":"text-delta","id":"p","delta":"Sun"}"#,
            r#"{"type":"text-delta","id":"p","delta":"ny."}"#,
            r#"{"type":"finish","finishReason":"stop","messageMetadata":{"totalUsage":{"inputTokens":9,"outputTokens":4}}}"#,
            "[DONE]",
        ]),
        whole: None,
        says: json!({"id": "u1", "ending": "complete",
            "choices": [{"text": "Sunny.", "reasoning": "Hm.", "finish_reason": "stop", "tool_calls": [
                {"id": "t1", "name": "weather", "arguments": "{\"city\":\"Paris\"}", "result": "{\"sun\":true}"},
            ]}],
            "usage": {"input": 9, "output": 4}}),
    }
}

fn data_stream() -> Fixture {
    Fixture {
        name: "Vercel data stream",
        stream: [
            r#"f:{"messageId":"d1"}"#,
            r#"g:"Hm.""#,
            r#"0:"Sun""#,
            r#"0:"ny.\n""#,
            r#"9:{"toolCallId":"t1","toolName":"weather","args":{"city":"Paris"}}"#,
            r#"a:{"toolCallId":"t1","result":"sunny"}"#,
            r#"e:{"finishReason":"stop","usage":{"promptTokens":1,"completionTokens":1},"isContinued":false}"#,
            r#"d:{"finishReason":"stop","usage":{"promptTokens":9,"completionTokens":4}}"#,
            "",
        ]
        .join("\n"),
        whole: None,
        says: json!({"id": "d1", "ending": "complete",
            "choices": [{"text": "Sunny.\n", "reasoning": "Hm.", "finish_reason": "stop", "tool_calls": [
                {"id": "t1", "name": "weather", "arguments": "{\"city\":\"Paris\"}", "result": "sunny"},
            ]}],
            "usage": {"input": 9, "output": 4}}),
    }
}

fn ollama() -> Fixture {
    Fixture {
        name: "Ollama: lines of JSON",
        stream: [
            r#"{"model":"llama","message":{"role":"assistant","content":"","thinking":"Hm."},"done":false}"#,
            r#"{"model":"llama","message":{"role":"assistant","content":"Hi"},"done":false}"#,
            r#"{"model":"llama","message":{"role":"assistant","content":"."},"done":false}"#,
            r#"{"model":"llama","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"prompt_eval_count":5,"eval_count":2}"#,
            "",
        ]
        .join("\n"),
        whole: Some(
            r#"{"model":"llama","message":{"role":"assistant","content":"Hi.","thinking":"Hm."},"done_reason":"stop","done":true,"prompt_eval_count":5,"eval_count":2}"#,
        ),
        says: json!({"model": "llama", "ending": "complete",
            "choices": [{"text": "Hi.", "reasoning": "Hm.", "finish_reason": "stop"}],
            "usage": {"input": 5, "output": 2}}),
    }
}
