//! Foreign JSON is read leniently.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::python;

/// Returns the JSON in a text; `None` where there is none.
///
/// The reader also takes:
///
/// * half of a pair of surrogates (half an emoji, where a stream was cut in it),
/// * a byte order mark,
/// * `NaN` and `Infinity` of other languages,
/// * line breaks within a string,
/// * lists and objects as Python's `repr` writes them.
///
/// A whole number that 64 bits cannot hold becomes a text, digit for digit.
pub(super) fn read(text: &str) -> Option<Json> {
    let text = text.trim_start_matches('\u{feff}');
    let exact = mended(text, Mend::Numbers);
    if let Ok(json) = serde_json::from_str(&exact) {
        return Some(json);
    }
    if let Ok(json) = serde_json::from_str(&mended(text, Mend::All)) {
        return Some(json);
    }
    let json = python::as_json(text)?;
    serde_json::from_str(&mended(&json, Mend::All)).ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mend {
    Numbers,
    All,
}

/// Returns the text with unreadable parts replaced by readable ones of the same meaning.
fn mended(text: &str, mend: Mend) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut in_string = false;
    while let Some(byte) = text.as_bytes().get(at) {
        in_string ^= *byte == b'"';
        let piece = match in_string {
            true => in_a_string(text, at, mend),
            false => outside_of_strings(text, at, mend),
        };
        if let Some(instead) = piece.instead {
            out.push_str(&text[copied..at]);
            out.push_str(&instead);
            copied = at + piece.length;
        }
        at += piece.length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// A `Piece` of a text is read as a whole: an escape, a number, a name, or one byte.
struct Piece {
    length: usize,
    /// The text that takes its place, where the piece is unreadable.
    instead: Option<Cow<'static, str>>,
}

impl Piece {
    const BYTE: Self = Self::kept(1);

    const fn kept(length: usize) -> Self {
        Self {
            length,
            instead: None,
        }
    }

    fn replaced(length: usize, instead: impl Into<Cow<'static, str>>) -> Self {
        Self {
            length,
            instead: Some(instead.into()),
        }
    }
}

/// Returns the piece that begins here, within a string.
fn in_a_string(text: &str, at: usize, mend: Mend) -> Piece {
    match text.as_bytes()[at] {
        b'\\' => match escape(&text[at..]) {
            (length, true) if mend == Mend::All => Piece::replaced(length, "\\ufffd"),
            // An escaped quote ends no string.
            (length, _) => Piece::kept(length),
        },
        byte @ 0..=0x1f if mend == Mend::All => Piece::replaced(1, format!("\\u{byte:04x}")),
        _ => Piece::BYTE,
    }
}

/// Returns the piece that begins here, outside of strings.
fn outside_of_strings(text: &str, at: usize, mend: Mend) -> Piece {
    const NAMES: [(&str, &str); 4] = [
        ("NaN", "\"NaN\""),
        ("Infinity", "\"Infinity\""),
        ("undefined", "null"),
        ("None", "null"),
    ];
    match text.as_bytes()[at] {
        b'-' | b'0'..=b'9' => {
            let length = number_length(&text.as_bytes()[at..]);
            let number = &text[at..at + length];
            if is_too_large(number) {
                Piece::replaced(length, format!("\"{number}\""))
            } else if mend == Mend::All && text[at + length..].starts_with("Infinity") {
                Piece::replaced(length + "Infinity".len(), "\"-Infinity\"")
            } else {
                Piece::kept(length)
            }
        }
        b'N' | b'I' | b'u' if mend == Mend::All => {
            let named = NAMES.iter().find(|(name, _)| text[at..].starts_with(name));
            named.map_or(Piece::BYTE, |(name, instead)| {
                Piece::replaced(name.len(), *instead)
            })
        }
        _ => Piece::BYTE,
    }
}

/// Returns the length of the number that begins here.
fn number_length(bytes: &[u8]) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    bytes.iter().take_while(|byte| is_part(byte)).count().max(1)
}

fn is_too_large(number: &str) -> bool {
    /// So many digits fit in any case.
    const FIT: usize = 18;
    number.len() > FIT
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
        && number.parse::<i64>().is_err()
        && number.parse::<u64>().is_err()
}

/// Returns the length of an escape that begins here, and whether it is half of a pair of surrogates.
fn escape(text: &str) -> (usize, bool) {
    let code = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let is_low = |code: u32| (0xdc00..=0xdfff).contains(&code);
    match code(text) {
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(code) {
            Some(low) if is_low(low) => (12, false),
            _ => (6, true),
        },
        Some(low) => (6, is_low(low)),
        None => (
            1 + text[1..].chars().next().map_or(0, char::len_utf8),
            false,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_write_is_read() {
        for (text, expected) in [
            (r#"{"a": 1}"#, json!({"a": 1})),
            ("\u{feff}[1]", json!([1])),
            (r#"["half \ud83d"]"#, json!(["half \u{fffd}"])),
            (
                r#"["\ude00 \ud83d\ude00 \ud83d\ud83d\ude00"]"#,
                json!(["\u{fffd} 😀 \u{fffd}😀"]),
            ),
            (r#"["\\ud83d"]"#, json!([r"\ud83d"])),
            (
                "[NaN, Infinity, -Infinity, None]",
                json!(["NaN", "Infinity", "-Infinity", null]),
            ),
            ("[\"a\nb\"]", json!(["a\nb"])),
            (
                "[123456789012345678901, 1.5e3]",
                json!(["123456789012345678901", 1500.0]),
            ),
            (
                r#"["NaN \" 123456789012345678901"]"#,
                json!(["NaN \" 123456789012345678901"]),
            ),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for (text, expected) in [
            (
                r#"[{'role': 'user', 'content': "it's", 'n': None}]"#,
                json!([{"role": "user", "content": "it's", "n": null}]),
            ),
            (
                r"{'a': 'x\'y \x41 ü\n', 'b': (True, False), 'c': ('d',), 'e': 1e5, 'f': nan}",
                json!({"a": "x'y A ü\n", "b": [true, false], "c": ["d"], "e": 1e5, "f": "NaN"}),
            ),
            (
                r#"{'a': 'says "no"', 'b': -1.5}"#,
                json!({"a": "says \"no\"", "b": -1.5}),
            ),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "{'a': Message(role='user')}",
            "[it's]",
            "{'a': 'x",
            "it's",
            "['a' 'b']",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        for text in ["", "plain", "[1", r#"{"a": "#, "{a: 1}", "\\"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
