//! The rows are streams that servers send and that their documents do not tell of.

use std::time::Duration;

use serde_json::{Value, json};

use super::fixtures::events;
use super::{Assembler, Cause, Content, NOW, after, says, summary};

/// A row has the server and its trap, the stream, the place in the summary, and the value there.
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
            "a character whose halves are in two chunks, one empty between them",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"Hi \ud83d"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":""}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"\ude00\ud83d"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"\ude01!"}}]}"#,
            ],
            "/choices/0/text",
            json!("Hi 😀😁!"),
        ),
        row(
            "halves that are alone, and what only looks like one",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"a\ud83d"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"b\\ud83d"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"\ude00\ud83d"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}"#,
            ],
            "/choices/0/text",
            json!("a\u{fffd}b\\ud83d\u{fffd}\u{fffd}\\ude00"),
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
            "OpenAI Responses: tools of the provider's own, which have no name",
            &[
                r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"web_search_call","id":"ws","status":"in_progress"}}"#,
                r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"web_search_call","id":"ws","status":"completed","action":{"type":"search","query":"trees"}}}"#,
                r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"code_interpreter_call","id":"ci","code":"1 + 1"}}"#,
                r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"image_generation_call","id":"ig","result":"QUJD"}}"#,
            ],
            "/choices/0/tool_calls",
            json!([
                {"id": "ws", "name": "web_search", "arguments": r#"{"type":"search","query":"trees"}"#},
                {"id": "ci", "name": "code_interpreter", "arguments": "1 + 1"},
                {"id": "ig", "name": "image_generation", "result": "[image, 1 KB]"},
            ]),
        ),
        row(
            "OpenAI Responses: code as it is written, and a shell whose answer is an item of its own",
            &[
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"ci","type":"code_interpreter_call","status":"in_progress","code":"","outputs":null}}"#,
                r#"{"type":"response.code_interpreter_call_code.delta","output_index":0,"item_id":"ci","delta":"1 +"}"#,
                r#"{"type":"response.code_interpreter_call_code.delta","output_index":0,"item_id":"ci","delta":" 1"}"#,
                r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"sh","type":"shell_call","call_id":"call_s","action":{"commands":["ls"]}}}"#,
                r#"{"type":"response.output_item.done","output_index":2,"item":{"id":"so","type":"shell_call_output","call_id":"call_s","output":[{"stdout":"a"}]}}"#,
            ],
            "/choices/0/tool_calls",
            json!([
                {"id": "ci", "name": "code_interpreter", "arguments": "1 + 1"},
                {"id": "call_s", "name": "shell", "arguments": r#"{"commands":["ls"]}"#, "result": r#"[{"stdout":"a"}]"#},
            ]),
        ),
        row(
            "OpenAI: a voice that comes as events",
            &[
                r#"{"type":"speech.audio.delta","audio":"QUJDRA=="}"#,
                r#"{"type":"speech.audio.delta","audio":"QUJD"}"#,
                r#"{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}"#,
            ],
            "",
            json!({"ending": "complete", "voice": 7, "usage": {"input": 14, "output": 101}}),
        ),
        row(
            "OpenAI chat: a voice and what it says",
            &[
                r#"{"choices":[{"index":0,"delta":{"audio":{"id":"a","transcript":"Sun"}}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"audio":{"data":"QUJD","transcript":"ny."}},"finish_reason":"stop"}]}"#,
            ],
            "",
            json!({"ending": "complete", "voice": 3, "choices": [{"text": "Sunny.", "finish_reason": "stop"}]}),
        ),
        row(
            "Gemini: a voice",
            &[
                r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"audio/L16;rate=24000","data":"QUJD"}}]},"finishReason":"STOP"}]}"#,
            ],
            "",
            json!({"ending": "complete", "voice": 3, "choices": [{"finish_reason": "STOP"}]}),
        ),
        row(
            "OpenRouter: an error beside an empty text, whose code is a number",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"Half"},"finish_reason":null}]}"#,
                r#"{"error":{"code":502,"message":"gone"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
            ],
            "",
            json!({"ending": "error", "choices": [{"text": "Half", "finish_reason": "error"}], "error": {"kind": "502", "message": "gone"}}),
        ),
        row(
            "OpenRouter: pictures beside the text, in a chunk of their own",
            &[
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"A tree."}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","images":[{"type":"image_url","index":0,"image_url":{"url":"data:image/png;base64,QUJD"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}"#,
            ],
            "",
            json!({"ending": "complete", "images": 1, "choices": [{"text": "A tree.", "finish_reason": "stop"}]}),
        ),
        (
            "the same as a whole",
            r#"{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"A tree.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}}]}"#.to_owned(),
            "",
            json!({"ending": "complete", "images": 1, "choices": [{"text": "A tree.", "finish_reason": "stop"}]}),
        ),
        row(
            "OpenAI Responses: a server of tools, which are listed, asked for and called",
            &[
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"mcpl_1","type":"mcp_list_tools","server_label":"dice","tools":[]}}"#,
                r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"mcpl_1","type":"mcp_list_tools","server_label":"dice","tools":[{"name":"roll","description":"d","input_schema":{"type":"object"},"annotations":null},{"name":"toss","input_schema":{}}]}}"#,
                r#"{"type":"response.output_item.added","output_index":1,"item":{"id":"mcp_1","type":"mcp_call","approval_request_id":null,"arguments":"","error":null,"name":"roll","output":null,"server_label":"dice"}}"#,
                r#"{"type":"response.mcp_call_arguments.delta","output_index":1,"item_id":"mcp_1","delta":"{\"dice\":\"2d4\"}"}"#,
                r#"{"type":"response.mcp_call_arguments.done","output_index":1,"item_id":"mcp_1","arguments":"{\"dice\":\"2d4\"}"}"#,
                r#"{"type":"response.output_item.done","output_index":1,"item":{"id":"mcp_1","type":"mcp_call","approval_request_id":null,"arguments":"{\"dice\":\"2d4\"}","error":null,"name":"roll","output":"4","server_label":"dice"}}"#,
                r#"{"type":"response.output_item.done","output_index":2,"item":{"id":"mcp_2","type":"mcp_call","arguments":"{}","error":{"type":"http_error","code":404,"message":"no"},"name":"toss","output":null,"server_label":"dice"}}"#,
                r#"{"type":"response.output_item.done","output_index":3,"item":{"id":"mcpr_1","type":"mcp_approval_request","arguments":"{}","name":"toss","server_label":"dice"}}"#,
            ],
            "/choices/0/tool_calls",
            json!([
                {"id": "mcpl_1", "name": "mcp_list_tools", "arguments": "dice", "result": "roll\ntoss"},
                {"id": "mcp_1", "name": "roll", "arguments": r#"{"dice":"2d4"}"#, "result": "4"},
                {"id": "mcp_2", "name": "toss", "arguments": "{}", "result": r#"{"type":"http_error","code":404,"message":"no"}"#},
                {"id": "mcpr_1", "name": "toss", "arguments": "{}"},
            ]),
        ),
        row(
            "Anthropic: what tools of its own and of a server of tools have answered",
            &[
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"oaks\"}"}}"#,
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"Oaks","url":"https://oaks.example","encrypted_content":"QUJD","page_age":null}]}}"#,
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"mcp_tool_use","id":"m","name":"echo","server_name":"x","input":{"value":"hi"}}}"#,
                r#"{"type":"content_block_start","index":3,"content_block":{"type":"mcp_tool_result","tool_use_id":"m","is_error":false,"content":[{"type":"text","text":"hi"},{"type":"text","text":"ho"}]}}"#,
                r#"{"type":"content_block_start","index":4,"content_block":{"type":"server_tool_use","id":"b","name":"bash_code_execution","input":{"command":"ls"}}}"#,
                r#"{"type":"content_block_start","index":5,"content_block":{"type":"bash_code_execution_tool_result","tool_use_id":"b","content":{"type":"bash_code_execution_result","stdout":"a","stderr":"","return_code":0}}}"#,
            ],
            "/choices/0/tool_calls",
            json!([
                {"id": "s", "name": "web_search", "arguments": r#"{"query":"oaks"}"#, "result": "Oaks\nhttps://oaks.example"},
                {"id": "m", "name": "echo", "arguments": r#"{"value":"hi"}"#, "result": "hi\nho"},
                {"id": "b", "name": "bash_code_execution", "arguments": r#"{"command":"ls"}"#,
                    "result": r#"{"type":"bash_code_execution_result","stdout":"a","stderr":"","return_code":0}"#},
            ]),
        ),
        row(
            "Anthropic: pages that were fetched, a text and a file",
            &[
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"t","name":"web_fetch","input":{}}}"#,
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"web_fetch_tool_result","tool_use_id":"t","content":{"type":"web_fetch_result","url":"https://oaks.example","content":{"type":"document","source":{"type":"text","data":"Oaks."}}}}}"#,
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"f","name":"web_fetch","input":{}}}"#,
                r#"{"type":"content_block_start","index":3,"content_block":{"type":"web_fetch_tool_result","tool_use_id":"f","content":{"type":"web_fetch_result","url":"https://oaks.example/a.pdf","content":{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}}}}}"#,
            ],
            "/choices/0/tool_calls",
            json!([
                {"id": "t", "name": "web_fetch", "result": "https://oaks.example\nOaks."},
                {"id": "f", "name": "web_fetch", "result": "https://oaks.example/a.pdf\n[file, 1 KB]"},
            ]),
        ),
        row(
            "Gemini: code that it has run between two texts",
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"Let me add."},{"executableCode":{"language":"PYTHON","code":"print(1)\n"}}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1\n"}},{"text":"One."}]}}]}"#,
            ],
            "/choices/0",
            json!({"text": "Let me add.\nOne.", "tool_calls": [{"name": "code_execution", "arguments": "print(1)\n", "result": "1\n"}]}),
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
        row(
            "OpenAI: a recording that is written down while it is heard",
            &[
                r#"{"type":"transcript.text.delta","delta":"How many "}"#,
                r#"{"type":"transcript.text.delta","delta":"trees?"}"#,
                r#"{"type":"transcript.text.done","text":"How many trees?","usage":{"type":"tokens","input_tokens":20,"output_tokens":4}}"#,
            ],
            "",
            json!({"ending": "complete", "choices": [{"text": "How many trees?"}], "usage": {"input": 20, "output": 4}}),
        ),
        row(
            "the same, where the segments say who speaks",
            &[
                r#"{"type":"transcript.text.delta","delta":"One. Two."}"#,
                r#"{"type":"transcript.text.segment","id":"s","start":0,"end":1,"text":"One.","speaker":"A"}"#,
            ],
            "",
            json!({"ending": "truncated", "choices": [{"text": "One. Two."}]}),
        ),
        row(
            "the same, cut",
            &[
                r#"{"type":"transcript.text.delta","delta":"How many "}"#,
                r#"{"type":"transcript.text.delta","delta":"tr"}"#,
            ],
            "",
            json!({"ending": "truncated", "choices": [{"text": "How many tr"}]}),
        ),
        row(
            "a service's own words, piece by piece",
            &[
                r#"{"text":"How many "}"#,
                r#"{"text":"trees"}"#,
                r#"{"text":"?","usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
            ],
            "",
            json!({"ending": "complete", "choices": [{"text": "How many trees?"}], "usage": {"input": 3, "output": 4}}),
        ),
        row(
            "Cohere's older chat: the end repeats the text elsewhere",
            &[
                r#"{"is_finished":false,"event_type":"stream-start","generation_id":"g"}"#,
                r#"{"is_finished":false,"event_type":"text-generation","text":"How many "}"#,
                r#"{"is_finished":false,"event_type":"text-generation","text":"trees?"}"#,
                r#"{"is_finished":true,"event_type":"stream-end","finish_reason":"COMPLETE","response":{"text":"How many trees?"}}"#,
            ],
            "/choices",
            json!([{"text": "How many trees?"}]),
        ),
        row(
            "SGLang's own route: each event has the text so far",
            &[
                r#"{"text":"How many ","meta_info":{"id":"a","finish_reason":null,"completion_tokens":2}}"#,
                r#"{"text":"How many trees?","meta_info":{"id":"a","finish_reason":{"type":"stop"},"completion_tokens":4}}"#,
            ],
            "/choices",
            json!([{"text": "How many trees?"}]),
        ),
        row(
            "xAI: thoughts are counted beside the completion, as the total says",
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":30,"completion_tokens":5,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":100}}}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":6,"total_tokens":136,"completion_tokens_details":{"reasoning_tokens":100}}}"#,
            ],
            "/usage",
            json!({"input": 30, "output": 106, "reasoning": 100}),
        ),
        row(
            "counts whose sum is no number",
            &[
                r#"{"choices":[],"usage":{"prompt_tokens":18446744073709551615,"completion_tokens":1,"total_tokens":5,"completion_tokens_details":{"reasoning_tokens":1}}}"#,
            ],
            "/usage",
            json!({"output": 1, "reasoning": 1}),
        ),
        row(
            "the same from Anthropic",
            &[
                r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":18446744073709551615,"cache_read_input_tokens":90,"output_tokens":1}}}"#,
            ],
            "/usage",
            json!({"output": 1, "cache_read": 90}),
        ),
        row(
            "the same from Gemini",
            &[
                r#"{"candidates":[],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":18446744073709551615,"thoughtsTokenCount":2}}"#,
            ],
            "/usage",
            json!({"input": 3, "output": 2, "reasoning": 2}),
        ),
        row(
            "the same for the place of a thought",
            &[
                r#"{"type":"response.reasoning_text.delta","output_index":18446744073709551615,"content_index":0,"delta":"Hm."}"#,
            ],
            "/choices/0/reasoning",
            json!("Hm."),
        ),
        (
            "a list with a text that has a brace",
            r#"["a {b", {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}]"#.to_owned(),
            "/choices/0/text",
            json!("Hi"),
        ),
        (
            "an error by the name of its event",
            format!(
                "{}event: error\ndata: {{\"message\":\"boom\",\"code\":\"E1\"}}\n\n",
                events(&[r#"{"choices":[{"index":0,"delta":{"content":"Half"}}]}"#])
            ),
            "",
            json!({"ending": "error", "choices": [{"text": "Half"}], "error": {"kind": "E1", "message": "boom"}}),
        ),
        (
            "the same, which is no JSON",
            "event:error\r\ndata: internal server error\r\n\r\n".to_owned(),
            "/error",
            json!({"kind": null, "message": "internal server error"}),
        ),
        (
            "the same, of which the data says more",
            "event: error\ndata: {\"error\":{\"type\":\"t\",\"message\":\"boom\"}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n".to_owned(),
            "/error",
            json!({"kind": "t", "message": "boom"}),
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

#[test]
fn words_of_a_services_own_end_with_their_response() {
    let pieces = events(&[r#"{"text":"How many "}"#, r#"{"text":"tr"}"#]);
    for (cause, expected) in [(Cause::End, "complete"), (Cause::Dropped, "dropped")] {
        let mut assembler = Assembler::new(Content::Lines, false);
        assembler.take(pieces.as_bytes(), NOW);
        assert_eq!(assembler.finish(cause).name(), expected);
        let outputs = json!(assembler.reply_mut().outputs());
        assert_eq!(outputs["content"], "How many tr");
    }
}

#[test]
fn a_body_that_is_json_is_whole_though_nobody_asks_for_its_end() {
    for (body, expected) in [
        (r#"{"text":"How many trees?"}"#, "complete"),
        (r#"{"text":"How many tr"#, "dropped"),
    ] {
        let mut assembler = Assembler::new(Content::of(Some("application/json"), None), false);
        assembler.take(body.as_bytes(), NOW);
        assert_eq!(assembler.finish(Cause::Dropped).name(), expected, "{body}");
    }
}

/// Gemini streams a list to a program that does not ask for events.
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
fn a_byte_order_mark_that_comes_alone_costs_no_item() {
    let list = br#"[{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}]"#;
    let mut assembler = after([b"\xef\xbb\xbf".as_slice(), list]);
    let ending = assembler.finish(Cause::End);
    let said = summary(&assembler, ending);
    assert_eq!(said["choices"], json!([{"text": "Hi"}]));
}

#[test]
fn a_picture_that_comes_in_drafts_is_one() {
    let drafts = events(&[
        r#"{"type":"image_generation.partial_image","partial_image_index":0,"b64_json":"QUJD"}"#,
        r#"{"type":"image_generation.partial_image","partial_image_index":1,"b64_json":"QUJD"}"#,
        r#"{"type":"image_generation.completed","b64_json":"QUJD","usage":{"input_tokens":5,"output_tokens":9}}"#,
    ]);
    let mut assembler = Assembler::new(Content::Unknown, false);
    assembler.take(drafts.as_bytes(), NOW);
    assert_eq!(assembler.finish(Cause::Dropped).name(), "complete");
    let reply = assembler.reply_mut();
    assert_eq!(reply.usage.output, Some(9));
    assert_eq!(json!(reply.outputs()), json!({"images": "[1 image]"}));
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
