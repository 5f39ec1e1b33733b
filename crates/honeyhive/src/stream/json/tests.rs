use serde_json::Value;

use super::index::KEPT;
use super::node::Kind;
use super::{Index, Json, Text};

fn escaped(written: &str) -> Text<'_> {
    Text::of(written, false)
}

/// Returns the indexed value, rebuilt; numbers in lists are not kept.
fn rebuilt(json: Json<'_>) -> Value {
    match json.node().kind {
        Kind::Object => {
            let named = |field: Json<'_>| {
                let name = std::str::from_utf8(field.name()).expect("a name");
                (escaped(name).unescaped().into_owned(), rebuilt(field))
            };
            json.children(Kind::Object).map(named).collect()
        }
        Kind::Array => json.items().map(rebuilt).collect(),
        Kind::Text | Kind::Escaped => json.text().expect("a text").unescaped().into(),
        Kind::Plain | Kind::Null => serde_json::from_str(json.raw()).expect("plain"),
    }
}

#[test]
fn what_is_indexed_is_what_serde_json_reads() {
    for text in [
        r#"{"a": {"b": ["x", {"c": 1.5e3}, []]}, "d": null, "e": true, "f": -0.1}"#,
        r#" {"text":"a\"b\\\n\t\u00e9\ud83c\udf33/\/" , "":{}} "#,
        r#""only text""#,
        "[]",
        "{}",
        "12",
    ] {
        let expected: Value = serde_json::from_str(text).expect("valid");
        let mut index = Index::new();
        assert_eq!(rebuilt(index.read(text).expect(text)), expected, "{text}");
    }
}

#[test]
fn no_json_is_none_and_nothing_panics() {
    let mut index = Index::new();
    let deep = "[".repeat(100_000);
    let texts = [
        "",
        " ",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":}",
        "{a:1}",
        "[1,",
        "[1 2]",
        "\"",
        "\"\\",
        "{\"a\":1}x",
        "nope nope",
        &deep,
    ];
    for text in texts {
        assert!(index.read(text).is_none(), "{text:.20}");
    }
    let whole = r#"{"choices":[{"delta":{"content":"\ud83c\udf33 ü\n"}}],"n":[1,2]}"#;
    for (end, _) in whole.char_indices() {
        assert!(index.read(&whole[..end]).is_none());
    }
}

#[test]
fn escapes_that_say_nothing_are_a_mark() {
    for (written, said) in [
        (r"\ud83c", "\u{fffd}"),
        (r"\ud83c\ud83c", "\u{fffd}\u{fffd}"),
        (r"\u12", "\u{fffd}12"),
        (r"\u+123", "\u{fffd}+123"),
        ("\\", "\u{fffd}"),
    ] {
        assert_eq!(escaped(written).unescaped(), said, "{written}");
    }
}

#[test]
fn a_list_of_numbers_is_counted_and_takes_no_room() {
    let text = format!("{{\"embedding\":[{}]}}", vec!["0.25"; 200_000].join(","));
    let mut index = Index::new();
    let root = index.read(&text).expect("an embedding");
    assert_eq!(root.get("embedding").map(Json::len), Some(200_000));
    assert!(index.nodes.len() < 8);
}

#[test]
fn the_room_of_a_large_event_is_given_back() {
    let large = format!("[{}]", vec!["{}"; 40_000].join(","));
    let mut index = Index::new();
    assert!(index.read(&large).is_some());
    assert!(index.read("{}").is_some());
    assert!(index.nodes.capacity() <= KEPT, "{}", index.nodes.capacity());
}
