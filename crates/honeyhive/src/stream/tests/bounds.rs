//! The assembler holds little and goes on, however much comes and whatever it is.

use super::super::framing::{MAX_EVENT, MAX_WHOLE};
use super::super::{Assembler, Cause, Content, Kind};
use super::fixtures::{self, events};
use super::{NOW, after};

/// Returns an event with this text, from JSON.
fn text_event(choice: usize, text: &str) -> String {
    events(&[&format!(
        r#"{{"choices":[{{"index":{choice},"delta":{{"content":"{text}"}}}}]}}"#
    )])
}

#[test]
fn a_text_is_kept_to_its_bound_and_says_how_long_it_was() {
    let mut assembler = Assembler::new(Content::Unknown, false);
    let piece = text_event(0, &"ü".repeat(50_000));
    for _ in 0..20 {
        assembler.take(piece.as_bytes(), NOW);
    }
    let text = assembler.reply().choices[0]
        .text(Kind::Text)
        .expect("a text");
    assert!(text.len() < 1024 * 1024 + 64, "{}", text.len());
    assert!(text.ends_with("ü… [cut: 2000000 bytes in all]"));
}

#[test]
fn a_call_holds_no_more_than_16_mib_in_16_choices_with_128_tools() {
    let mut assembler = Assembler::new(Content::Unknown, false);
    let text = "x".repeat(1024 * 1024);
    for choice in 0..18 {
        for key in ["content", "refusal", "reasoning_content"] {
            let event =
                format!(r#"{{"choices":[{{"index":{choice},"delta":{{"{key}":"{text}"}}}}]}}"#);
            assembler.take(events(&[&event]).as_bytes(), NOW);
        }
    }
    let text = &text[..1000];
    for tool in 0..140 {
        let event = format!(
            r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":{tool},"id":"{tool}","function":{{"name":"f","arguments":"{text}"}}}}]}}}}]}}"#
        );
        assembler.take(events(&[&event]).as_bytes(), NOW);
    }
    let reply = assembler.reply();
    assert_eq!(
        (reply.choices.len(), reply.choices[0].tool_calls.len()),
        (16, 128)
    );
    let texts = [Kind::Text, Kind::Refusal, Kind::Reasoning];
    let held: usize = reply
        .choices
        .iter()
        .flat_map(|choice| texts.map(|kind| choice.text(kind).map_or(0, |it| it.len())))
        .sum();
    assert!(held < 17 * 1024 * 1024, "{held}");
    assert!(reply.left_out > 0);
}

#[test]
fn an_event_without_end_is_let_go_and_its_neighbours_stay() {
    for long in [
        format!("data: {}\n\n", "x".repeat(MAX_EVENT + 1)),
        "data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(MAX_EVENT / 16) + "\n",
    ] {
        let stream = format!(
            "{}{long}{}",
            text_event(0, "before "),
            text_event(0, "after")
        );
        let mut assembler = after(stream.as_bytes().chunks(64 * 1024));
        assembler.finish(Cause::End);
        let text = assembler.reply().choices[0].text(Kind::Text);
        assert_eq!(text.as_deref(), Some("before after"));
        assert_eq!(assembler.reply().left_out, 1);
    }
}

#[test]
fn a_body_of_more_than_4_mib_is_not_read() {
    let body = format!(r#"{{"choices":[],"x":"{}"}}"#, "x".repeat(MAX_WHOLE));
    let mut assembler = after(body.as_bytes().chunks(64 * 1024));
    assembler.finish(Cause::End);
    assert!(!assembler.is_known());
    assert_eq!(assembler.reply().left_out, 1);
}

#[test]
fn nobody_listens_any_more_after_8_events_that_nobody_knows() {
    let stranger = events(&[r#"{"ticker":"HH","price":1}"#]);
    let mut known_in_time = after([stranger.repeat(7).as_bytes(), text_event(0, "x").as_bytes()]);
    known_in_time.finish(Cause::End);
    assert!(known_in_time.is_known());
    for stranger in [
        stranger.as_str(),
        "plain text\n",
        "0:not json\n",
        "data: nothing\n\n",
    ] {
        let mut too_late = after([stranger.repeat(8).as_bytes(), text_event(0, "x").as_bytes()]);
        too_late.finish(Cause::End);
        assert!(!too_late.is_known(), "{stranger}");
    }
}

#[test]
fn an_error_is_heard_after_8_events_that_nobody_knows() {
    let strangers = events(&[r#"{"ticker":"HH","price":1}"#]).repeat(8);
    let part = strangers.clone() + "data: par";
    let error = "event: error\ndata: {\"message\":\"boom\",\"code\":\"E1\"}\n\n";
    let (name, data) = error.split_at(13);
    let together = format!("{strangers}{error}");
    for pieces in [
        vec![together.as_str()],
        vec![&strangers, error],
        vec![&strangers, &strangers, name, data],
        vec![&strangers, name, &data[..20], &data[20..], &strangers],
        vec![&part, "tial\n\n", error],
    ] {
        let mut assembler = after(pieces.iter().map(|it| it.as_bytes()));
        assert_eq!(assembler.finish(Cause::End).name(), "error", "{pieces:?}");
        let failure = assembler.reply().failure.as_ref().expect("an error");
        assert_eq!(failure.kind.as_deref(), Some("E1"), "{pieces:?}");
    }
}

#[test]
fn no_text_is_held_where_content_is_hidden() {
    const SECRET: &str = "xyzzy";
    for fixture in fixtures::all() {
        let stream = fixture
            .stream
            .replace("Forty", SECRET)
            .replace("Hm", SECRET)
            .replace("Paris", SECRET);
        let error =
            format!("\n\ndata: {{\"error\":{{\"type\":\"bad\",\"message\":\"{SECRET}\"}}}}\n\n");
        let mut assembler = Assembler::new(Content::Unknown, true);
        assembler.take(stream.as_bytes(), NOW);
        assembler.take(error.as_bytes(), NOW);
        assembler.finish(Cause::End);
        let reply = assembler.reply();
        let shown = format!("{reply:?}");
        assert!(!shown.contains(SECRET), "{}: {shown}", fixture.name);
        let bytes: usize = reply.choices.iter().map(|it| it.bytes(Kind::Text)).sum();
        let has_tools = reply.choices.iter().any(|it| !it.tool_calls.is_empty());
        assert!(
            bytes > 0 || has_tools || reply.choices[0].bytes(Kind::Refusal) > 0,
            "{}",
            fixture.name
        );
    }
}

/// The bytes are made by chance, or are streams with some of theirs replaced.
#[test]
fn arbitrary_bytes_never_panic() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..100 {
        for fixture in fixtures::all() {
            let mut bytes = fixture.stream.into_bytes();
            for _ in 0..=round % 8 {
                let at = random() as usize % bytes.len();
                bytes[at] = random() as u8;
            }
            let size = random() as usize % 64 + 1;
            let mut assembler = after(bytes.chunks(size));
            assembler.finish(Cause::End);
        }
        let noise: Vec<u8> = (0..256).map(|_| random() as u8).collect();
        after([noise.as_slice()]).finish(Cause::Dropped);
    }
}
