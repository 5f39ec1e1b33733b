//! The tests are a table: an assembler reads the same from a stream, however it is cut and wherever it ends.

mod bounds;
pub(crate) mod fixtures;
mod reports;
mod traps;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Assembler, Cause, Choice, Content, Ending, Kind, ToolCall};
use fixtures::{Fixture, events};

const NOW: Duration = Duration::from_millis(1);

/// Returns the assembler after these pieces.
fn after<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Assembler {
    let mut assembler = Assembler::new(Content::Unknown, false);
    for piece in pieces {
        assembler.take(piece, NOW);
    }
    assembler
}

fn says(stream: &str) -> Value {
    let mut assembler = after([stream.as_bytes()]);
    let ending = assembler.finish(Cause::End);
    summary(&assembler, ending)
}

/// Summarises the answer, without its empty parts.
fn summary(assembler: &Assembler, ending: Ending) -> Value {
    let reply = assembler.reply();
    let mut said = Map::new();
    let mut put = |key: &str, value: Value| {
        if !matches!(&value, Value::Null) && value != json!([]) && value != json!({}) {
            said.insert(key.to_owned(), value);
        }
    };
    put("id", json!(reply.id.as_deref()));
    put("model", json!(reply.model.as_deref()));
    put("choices", reply.choices.iter().map(choice).collect());
    let usage = [
        ("input", reply.usage.input),
        ("output", reply.usage.output),
        ("cache_read", reply.usage.cache_read),
        ("cache_write", reply.usage.cache_write),
        ("reasoning", reply.usage.reasoning),
    ];
    let counts = usage
        .into_iter()
        .filter_map(|(name, count)| Some((name.to_owned(), json!(count?))));
    put("usage", Value::Object(counts.collect()));
    if reply.audio_bytes > 0 {
        put("voice", reply.audio_bytes.into());
    }
    if reply.images > 0 {
        put("images", reply.images.into());
    }
    if let Some(failure) = &reply.failure {
        put(
            "error",
            json!({"kind": failure.kind, "message": failure.message}),
        );
    }
    put("ending", ending.name().into());
    Value::Object(said)
}

fn choice(choice: &Choice) -> Value {
    let mut said = Map::new();
    let texts = [
        ("text", Kind::Text),
        ("refusal", Kind::Refusal),
        ("reasoning", Kind::Reasoning),
    ];
    for (name, kind) in texts {
        said.extend(choice.text(kind).map(|text| (name.to_owned(), text.into())));
    }
    if !choice.tool_calls.is_empty() {
        said.insert(
            "tool_calls".to_owned(),
            choice.tool_calls.iter().map(tool_call).collect(),
        );
    }
    let reason = choice.finish_reason.clone();
    said.extend(reason.map(|reason| ("finish_reason".to_owned(), reason.into())));
    Value::Object(said)
}

fn tool_call(call: &ToolCall) -> Value {
    let result = call.result.as_ref().map(|it| it.shown().into_owned());
    let all = [
        ("id", call.id.clone()),
        ("name", call.name.clone()),
        ("arguments", call.arguments()),
        ("result", result),
    ];
    let said = all
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    Value::Object(said.collect())
}

#[test]
fn each_stream_says_what_it_says() {
    for Fixture {
        name,
        stream,
        says: expected,
        ..
    } in fixtures::all()
    {
        assert_eq!(says(&stream), expected, "{name}");
    }
}

#[test]
fn a_whole_body_says_the_same_as_its_stream() {
    for Fixture {
        name,
        whole,
        says: expected,
        ..
    } in fixtures::all()
    {
        if let Some(whole) = whole {
            assert_eq!(says(whole), expected, "{name}");
        }
    }
}

#[test]
fn every_place_to_split_gives_the_same_answer() {
    for Fixture {
        name,
        stream,
        whole,
        says: expected,
    } in fixtures::all()
    {
        for bytes in [Some(stream.as_str()), whole]
            .into_iter()
            .flatten()
            .map(str::as_bytes)
        {
            for at in 0..=bytes.len() {
                let (before, behind) = bytes.split_at(at);
                let mut assembler = after([before, behind]);
                let ending = assembler.finish(Cause::End);
                assert_eq!(
                    summary(&assembler, ending),
                    expected,
                    "{name}, split at {at}"
                );
            }
            let mut assembler = after(bytes.chunks(1));
            let ending = assembler.finish(Cause::End);
            assert_eq!(
                summary(&assembler, ending),
                expected,
                "{name}, byte by byte"
            );
        }
    }
}

#[test]
fn line_ends_marks_comments_and_keepalives_change_nothing() {
    let Fixture {
        stream,
        says: expected,
        ..
    } = fixtures::all().remove(0);
    let crlf = stream.replace('\n', "\r\n");
    let cr = stream.replace('\n', "\r");
    let marked = format!("\u{feff}: hello\n\nretry: 3000\nid: 7\n\n{stream}");
    let kept_alive = stream.replace("\n\n", "\n\n: keep-alive\n\nevent: keepalive\n\n");
    let without_space = stream.replace("data: ", "data:");
    let over_lines = stream.replace(",\"choices\"", ",\ndata: \"choices\"");
    let unended = stream.trim_end().to_owned();
    for bytes in [
        crlf,
        cr,
        marked,
        kept_alive,
        without_space,
        over_lines,
        unended,
    ] {
        for at in 0..=bytes.len() {
            let (before, behind) = bytes.as_bytes().split_at(at);
            let mut assembler = after([before, behind]);
            let ending = assembler.finish(Cause::End);
            assert_eq!(
                summary(&assembler, ending),
                expected,
                "split at {at}: {bytes}"
            );
        }
    }
}

#[test]
fn how_an_answer_ended_is_told_apart() {
    const TEXT: &str = r#"{"choices":[{"index":0,"delta":{"content":"Half an"}}]}"#;
    const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    const MORE: &str =
        r#"{"choices":[{"index":0,"delta":{"content":"."},"finish_reason":"stop"}]}"#;
    const EMPTY: &str = r#"{"choices":[{"index":0,"delta":{"content":""}}]}"#;
    const REASON_FIRST: &str =
        r#"{"choices":[{"finish_reason":"stop","index":0,"delta":{"content":"All"}}]}"#;
    const ERROR: &str = r#"{"error":{"message":"overloaded","type":"server_error"}}"#;
    const WHOLE: &str = r#"{"choices":[{"index":0,"message":{"content":"All"}}]}"#;
    let table = [
        (
            events(&[TEXT, STOP, "[DONE]"]),
            Cause::End,
            Ending::Complete,
        ),
        (
            events(&[TEXT, STOP, "[DONE]"]),
            Cause::Dropped,
            Ending::Complete,
        ),
        ("data: [DONE]".to_owned(), Cause::Dropped, Ending::Complete),
        (events(&[TEXT, STOP]), Cause::End, Ending::Complete),
        (events(&[TEXT, STOP]), Cause::Dropped, Ending::Complete),
        (events(&[REASON_FIRST]), Cause::Dropped, Ending::Complete),
        (events(&[TEXT]), Cause::End, Ending::Truncated),
        (events(&[TEXT]), Cause::Dropped, Ending::Dropped),
        (events(&[TEXT]), Cause::Failed, Ending::Error),
        (events(&[TEXT, ERROR]), Cause::End, Ending::Error),
        (events(&[TEXT, ERROR]), Cause::Dropped, Ending::Error),
        // A server that tells a reason with every chunk has not ended with the first.
        (events(&[MORE, MORE]), Cause::Dropped, Ending::Dropped),
        // An empty text adds nothing to an answer that has ended.
        (events(&[MORE, EMPTY]), Cause::Dropped, Ending::Complete),
        (events(&[MORE, MORE]), Cause::End, Ending::Complete),
        (WHOLE.to_owned(), Cause::End, Ending::Complete),
        (WHOLE[..30].to_owned(), Cause::End, Ending::Truncated),
        (WHOLE[..30].to_owned(), Cause::Dropped, Ending::Dropped),
        (String::new(), Cause::End, Ending::Truncated),
        (String::new(), Cause::Dropped, Ending::Dropped),
        // A stream in an unknown format has no end of its own.
        (r#"{"x":1}"#.to_owned(), Cause::End, Ending::Complete),
        (r#"{"x":1}"#.to_owned(), Cause::Dropped, Ending::Dropped),
        (events(&[r#"{"x":1}"#; 8]), Cause::End, Ending::Complete),
        (events(&[r#"{"x":1}"#; 8]), Cause::Dropped, Ending::Dropped),
        // A plain text has no end of its own either, nor has a list without objects.
        ("How many trees?\n".to_owned(), Cause::End, Ending::Complete),
        ("A: I see.\n".to_owned(), Cause::End, Ending::Complete),
        ("How many tre".to_owned(), Cause::Dropped, Ending::Dropped),
        ("dat".to_owned(), Cause::End, Ending::Truncated),
        ("[]".to_owned(), Cause::End, Ending::Complete),
        (r#"["a", "]"]"#.to_owned(), Cause::End, Ending::Complete),
        ("[[0.1,0.2]]".to_owned(), Cause::End, Ending::Complete),
        ("[[0.1,0.2]".to_owned(), Cause::End, Ending::Truncated),
        (r#"["a]"#.to_owned(), Cause::End, Ending::Truncated),
    ];
    for (stream, cause, expected) in table {
        let mut assembler = after([stream.as_bytes()]);
        assert_eq!(
            assembler.finish(cause),
            expected,
            "{cause:?} after {stream}"
        );
    }
}

/// The responses are a picture, a voice, or compressed bytes.
#[test]
fn what_is_not_read_ends_with_its_response() {
    for (cause, expected) in [
        (Cause::End, Ending::Complete),
        (Cause::Dropped, Ending::Dropped),
        (Cause::Failed, Ending::Error),
    ] {
        let gzip = Content::of(Some("application/json"), Some("gzip"));
        let mut assembler = Assembler::new(gzip, false);
        assembler.take(&[0x1f, 0x8b], NOW);
        assert_eq!(assembler.finish(cause), expected, "{cause:?}");
    }
}

#[test]
fn errors_say_what_they_are_in_the_words_of_each_api() {
    let table = [
        (
            r#"{"error":{"message":"bad model","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#,
            "invalid_request_error",
            "bad model",
        ),
        (
            r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            "overloaded_error",
            "Overloaded",
        ),
        (
            r#"data: {"type":"error","code":"rate_limit","message":"slow down","param":null}"#,
            "rate_limit",
            "slow down",
        ),
        (
            r#"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#,
            "RESOURCE_EXHAUSTED",
            "quota",
        ),
        (
            r#"data: {"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"boom"},"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            "server_error",
            "boom",
        ),
    ];
    for (body, kind, message) in table {
        let said = says(body);
        assert_eq!(
            said["error"],
            json!({"kind": kind, "message": message}),
            "{body}"
        );
        assert_eq!(said["ending"], "error");
    }
    for (body, message) in [
        (r#"{"error":"model not loaded"}"#, "model not loaded"),
        (r#"data: {"type":"error","errorText":"lost"}"#, "lost"),
        ("3:\"lost\"\n", "lost"),
    ] {
        assert_eq!(says(body)["error"]["message"], message, "{body}");
    }
}

#[test]
fn a_transcript_is_the_text_as_it_is_or_what_its_json_says() {
    let subtitles = "1\n00:00:00,000 --> 00:00:01,500\nHow many trees?";
    for (body, said) in [
        (subtitles, subtitles),
        ("{laughs} Many.\n", "{laughs} Many."),
        (r#"{"text":"How many trees?"}"#, "How many trees?"),
    ] {
        for hides in [false, true] {
            let content = Content::of_transcript(Some("text/html; charset=utf-8"), None);
            let mut assembler = Assembler::new(content, hides);
            assembler.take(body.as_bytes(), NOW);
            assert_eq!(assembler.finish(Cause::End), Ending::Complete, "{body}");
            let only = &assembler.reply().choices[0];
            assert_eq!(only.bytes(Kind::Text), said.len(), "{body}");
            if !hides {
                assert_eq!(only.text(Kind::Text).as_deref(), Some(said));
            }
            assert_eq!(format!("{assembler:?}").contains("any"), !hides, "{body}");
        }
    }
}

#[test]
fn vectors_and_pictures_are_counted() {
    let table = [
        (
            r#"{"object":"list","data":[{"embedding":[0.1,0.2,0.3]},{"embedding":[1,2,3]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            Some((2, 3)),
            0,
        ),
        (
            r#"{"object":"list","data":[{"embedding":"AACAPwAAAEA="}],"model":"e"}"#,
            Some((1, 2)),
            0,
        ),
        (r#"{"embedding":{"values":[0.5,0.25]}}"#, Some((1, 2)), 0),
        (
            r#"{"embeddings":[[0.5,0.25,1],[1,2,3]],"model":"nomic","prompt_eval_count":4}"#,
            Some((2, 3)),
            0,
        ),
        (
            r#"{"created":1,"data":[{"b64_json":"QUJD"},{"b64_json":"QUJD"}]}"#,
            None,
            2,
        ),
    ];
    for (body, vectors, images) in table {
        let mut assembler = after([body.as_bytes()]);
        assert_eq!(assembler.finish(Cause::End), Ending::Complete, "{body}");
        assert_eq!(
            (assembler.reply().vectors, assembler.reply().images),
            (vectors, images),
            "{body}"
        );
    }
}
