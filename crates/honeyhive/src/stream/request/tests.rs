use super::*;
use crate::model::limits;

/// Returns the value of an attribute.
fn shown(asked: &Asked, key: &str) -> String {
    let mut all = asked.attributes.iter();
    let found = all.find(|it| it.key.as_str() == key);
    found.expect(key).value.as_str().into_owned()
}

/// Returns the conversation in short: who said what, and what was called.
fn read(body: &str) -> Vec<String> {
    let mut asked = Asked {
        gathered: Some(Vec::new()),
        ..Asked::default()
    };
    let mut index = Index::new();
    asked.take(index.read(body).expect("JSON"));
    let messages = asked.gathered.take().into_iter().flatten();
    let shown = messages.map(|message| {
        let calls = message.tool_calls.iter().map(|call| {
            let id = call.id.as_deref().unwrap_or("-");
            format!(" {}({}) {id}", call.name, call.arguments)
        });
        let answers = message.tool_call_id.iter().map(|id| format!(" to {id}"));
        let all: String = calls.chain(answers).collect();
        format!("{}: {}{all}", message.role, message.content)
    });
    shown.collect()
}

#[test]
fn a_conversation_reads_the_same_in_the_words_of_each_api() {
    let expected = [
        "system: Be brief.",
        "user: Weather?\n[image, 1 KB]",
        "assistant:  weather({\"city\":\"Paris\"}) c1",
        "tool: Sunny. to c1",
    ];
    let chat = r#"{"model":"m","messages":[
        {"role":"system","content":"Be brief."},
        {"role":"user","content":[{"type":"text","text":"Weather?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJDRA=="}}]},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},
        {"role":"tool","tool_call_id":"c1","content":"Sunny."}]}"#;
    let responses = r#"{"model":"m","instructions":"Be brief.","input":[
        {"role":"user","content":[{"type":"input_text","text":"Weather?"},{"type":"input_image","image_url":"data:image/png;base64,QUJDRA=="}]},
        {"type":"reasoning","summary":[]},
        {"type":"function_call","call_id":"c1","name":"weather","arguments":"{\"city\":\"Paris\"}"},
        {"type":"function_call_output","call_id":"c1","output":"Sunny."}]}"#;
    let anthropic = r#"{"model":"m","system":[{"type":"text","text":"Be brief."}],"messages":[
        {"role":"user","content":[{"type":"text","text":"Weather?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJDRA=="}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"tool_use","id":"c1","name":"weather","input":{"city":"Paris"}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"Sunny."}]}]}]}"#;
    let gemini = r#"{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[
        {"role":"user","parts":[{"text":"Weather?"},{"inlineData":{"mimeType":"image/png","data":"QUJDRA=="}}]},
        {"role":"model","parts":[{"functionCall":{"id":"c1","name":"weather","args":{"city":"Paris"}}}]},
        {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"weather","response":"Sunny."}}]}]}"#;
    for body in [chat, responses, anthropic, gemini] {
        assert_eq!(read(body), expected, "{body}");
    }
}

#[test]
fn a_template_and_what_a_program_attaches_leave_the_conversation_whole() {
    for (body, expected) in [
        (
            r#"{"input":[{"role":"user","content":"Weather?"}],"prompt":{"id":"pmpt_1","version":"2"}}"#,
            "user: Weather?",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"What?"},{"fileData":{"mimeType":"video/mp4","fileUri":"https://youtu.be/x"}},{"inline_data":{"mime_type":"image/png","data":"QUJD"}}]}]}"#,
            "user: What?\n[video]\n[image, 1 KB]",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Oaks."}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}},
                {"type":"search_result","source":"https://y","title":"Trees","content":[{"type":"text","text":"Elms."}]}]}]}"#,
            "user: Oaks.\n[file, 1 KB]\nTrees\nElms.",
        ),
        (
            r#"{"messages":[{"role":"tool","tool_name":"weather","content":"Sunny."}]}"#,
            "tool: Sunny. to weather",
        ),
    ] {
        assert_eq!(read(body), [expected], "{body}");
    }
}

#[test]
fn an_answer_that_was_a_refusal_is_part_of_the_conversation() {
    for silence in ["null", "\"\"", "[]"] {
        let body = format!(
            r#"{{"messages":[{{"role":"user","content":"How?"}},{{"role":"assistant","content":{silence},"refusal":"No."}}]}}"#
        );
        assert_eq!(read(&body), ["user: How?", "assistant: No."], "{silence}");
    }
}

#[test]
fn tools_of_the_program_are_named_and_no_schema_is_kept() {
    let body = r#"{"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}},{"name":"clock","input_schema":{}}]}"#;
    let asked = Asked::read(body.as_bytes(), false);
    assert_eq!(asked.tools, ["weather", "clock"]);
    assert!(asked.attributes.is_empty());
}

#[test]
fn tools_that_the_provider_runs_are_named() {
    for (tools, named) in [
        (
            r#"[{"functionDeclarations":[{"name":"f"},{"name":"g"}],"googleSearch":{}},{"codeExecution":{}},{"url_context":{}}]"#,
            vec!["f", "g", "googleSearch", "codeExecution", "url_context"],
        ),
        (
            r#"[{"type":"web_search"},{"type":"mcp","server_label":"dice","server_url":"https://dice.example","headers":{"authorization":"x"}}]"#,
            vec!["web_search", "mcp:dice"],
        ),
        (
            r#"[{"type":"web_search_20250305","name":"web_search","max_uses":5},{"type":"mcp_toolset","mcp_server_name":"dice"}]"#,
            vec!["web_search", "mcp_toolset:dice"],
        ),
    ] {
        let asked = Asked::read(format!(r#"{{"tools":{tools}}}"#).as_bytes(), false);
        assert_eq!(asked.tools, named, "{tools}");
    }
}

#[test]
fn calls_that_the_provider_has_run_are_part_of_the_conversation() {
    let responses = r#"{"input":[
        {"type":"mcp_list_tools","id":"l","server_label":"dice","tools":[{"name":"roll","input_schema":{}},{"name":"toss"}]},
        {"type":"mcp_approval_request","id":"r","server_label":"dice","name":"roll","arguments":"{}"},
        {"type":"mcp_approval_response","approval_request_id":"r","approve":true},
        {"type":"mcp_call","id":"m","server_label":"dice","name":"roll","arguments":"{}","output":"4","error":null},
        {"type":"web_search_call","id":"w","status":"completed","action":{"type":"search","query":"q"}},
        {"type":"shell_call_output","call_id":"s","output":[{"stdout":"a"}]},
        {"type":"message","role":"user","content":"And now?"}]}"#;
    assert_eq!(
        read(responses),
        [
            "assistant:  mcp_list_tools(dice) l",
            "tool: roll\ntoss to l",
            "assistant:  roll({}) r",
            "tool: approved to r",
            "assistant:  roll({}) m",
            "tool: 4 to m",
            r#"assistant:  web_search({"type":"search","query":"q"}) w"#,
            r#"tool: [{"stdout":"a"}] to s"#,
            "user: And now?",
        ]
    );
    let anthropic = r#"{"messages":[{"role":"assistant","content":[
        {"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"oaks"}},
        {"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"Oaks","url":"https://oaks.example","encrypted_content":"QUJD"}]},
        {"type":"text","text":"Found."}]}]}"#;
    assert_eq!(
        read(anthropic),
        [
            r#"assistant:  web_search({"query":"oaks"}) s"#,
            "tool: Oaks\nhttps://oaks.example to s",
            "assistant: Found.",
        ]
    );
    let gemini = r#"{"contents":[{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"print(1)"}},{"text":"One."}]}]}"#;
    assert_eq!(read(gemini), ["assistant: One. code_execution(print(1)) -"]);
    let openrouter = r#"{"messages":[{"role":"assistant","content":"A tree.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}]}"#;
    assert_eq!(read(openrouter), ["assistant: [image, 1 KB]\nA tree."]);
}

#[test]
fn a_page_and_a_picture_that_a_tool_has_answered_with_are_no_bytes() {
    for (body, answer) in [
        (
            r#"{"input":[{"type":"computer_call_output","call_id":"c","output":{"type":"computer_screenshot","image_url":"data:image/png;base64,QUJD"}}]}"#,
            "tool: [image, 1 KB] to c",
        ),
        (
            r#"{"messages":[{"role":"assistant","content":[{"type":"web_fetch_tool_result","tool_use_id":"w","content":{"type":"web_fetch_result","url":"https://oaks.example","content":{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}}}}]}]}"#,
            "tool: https://oaks.example\n[file, 1 KB] to w",
        ),
        (
            r#"{"messages":[{"role":"assistant","content":[{"type":"web_fetch_tool_result","tool_use_id":"w","content":{"type":"web_fetch_result","url":"https://oaks.example","content":{"type":"document","source":{"type":"text","data":"Oaks."}}}}]}]}"#,
            "tool: https://oaks.example\nOaks. to w",
        ),
    ] {
        assert_eq!(read(body), [answer], "{body}");
    }
}

#[test]
fn an_interaction_asks_by_a_text_by_parts_or_by_the_steps_so_far() {
    let parts = r#"{"model":"m","system_instruction":"Be brief.","input":[{"type":"text","text":"What is it?"},{"type":"image","data":"QUJDRA==","mime_type":"image/png"}],
        "generation_config":{"thinking_level":"low"},"tools":[{"type":"google_search"},{"type":"function","name":"f","parameters":{}}]}"#;
    assert_eq!(
        read(parts),
        [
            "system: Be brief.",
            "user: What is it?",
            "user: [image, 1 KB]"
        ]
    );
    let asked = Asked::read(parts.as_bytes(), false);
    assert_eq!(asked.tools, ["google_search", "f"]);
    assert_eq!(shown(&asked, "honeyhive_config.thinking_level"), "low");
    let steps = r#"{"agent":"deep-x","input":[
        {"type":"user_input","content":[{"type":"text","text":"Weather?"}]},
        {"type":"thought","signature":"QUJD","summary":[]},
        {"type":"function_call","id":"c","name":"weather","arguments":{"city":"Paris"}},
        {"type":"function_result","call_id":"c","name":"weather","result":"Sunny."},
        {"type":"model_output","content":[{"type":"text","text":"Go out."}]}]}"#;
    assert_eq!(
        read(steps),
        [
            "user: Weather?",
            r#"assistant:  weather({"city":"Paris"}) c"#,
            "tool: Sunny. to c",
            "assistant: Go out.",
        ]
    );
    let asked = Asked::read(steps.as_bytes(), false);
    assert_eq!(asked.model.as_deref(), Some("deep-x"));
    let mut asked = Asked::read(br#"{"model":"m","input":"Hi"}"#, false);
    asked.ask_texts();
    assert_eq!(
        shown(&asked, "honeyhive_inputs.chat_history.0.content"),
        "Hi"
    );
}

#[test]
fn texts_to_embed_are_texts_and_nothing_of_them_is_kept_where_content_is_hidden() {
    let body = br#"{"model":"e","input":["one","two"],"stop":"secret","messages":[{"role":"user","content":"secret"}]}"#;
    assert_eq!(Asked::read(body, false).texts, ["one", "two"]);
    let many = br#"{"requests":[{"model":"models/e","content":{"parts":[{"text":"one"}]}},{"content":{"parts":[{"text":"two"}]}}]}"#;
    assert_eq!(Asked::read(many, false).texts, ["one", "two"]);
    let hidden = Asked::read(body, true);
    assert!(!format!("{hidden:?}").contains("secret") && hidden.texts.is_empty());
    assert_eq!(hidden.bytes, 12);
}

#[test]
fn of_a_long_conversation_the_first_and_the_last_stay() {
    let one = |turn: usize| format!(r#"{{"role":"user","content":"{turn}"}}"#);
    let messages: Vec<_> = (0..1_000).map(one).collect();
    let asked = Asked::read(format!("[{}]", messages.join(",")).as_bytes(), false);
    assert_eq!(asked.next, MAX_MESSAGES);
    let content = |index: usize| {
        shown(
            &asked,
            &format!("honeyhive_inputs.chat_history.{index}.content"),
        )
    };
    assert_eq!([content(0), content(MAX_MESSAGES - 1)], ["0", "999"]);
    assert_eq!(asked.left_out, 1_000 - MAX_MESSAGES);
}

#[test]
fn a_long_text_is_cut_with_a_mark_before_it_is_copied() {
    let body = format!(
        r#"[{{"role":"user","content":"{}"}}]"#,
        "x".repeat(3 * 1024 * 1024)
    );
    let asked = Asked::read(body.as_bytes(), false);
    let text = shown(&asked, "honeyhive_inputs.chat_history.0.content");
    assert!(
        text.len() < limits::VALUE_BYTES + 64 && text.ends_with("… [cut: 3145728 bytes in all]")
    );
}
