//! Which texts can be an id, and which say nothing.

/// The longest text that names a session, in bytes.
pub(crate) const LONGEST: usize = 256;

/// The words that programs write where they have no id.
const WORDS_FOR_NOTHING: [&str; 6] = ["undefined", "null", "none", "nil", "nan", "object Object"];

/// True for a text that can be shown as an id: neither blank nor too long, without control characters.
pub(crate) fn is_plain(text: &str) -> bool {
    let has_control = text.chars().any(char::is_control);
    text.len() <= LONGEST && !has_control && !text.trim().is_empty()
}

/// True for a text that names something: neither blank nor a word for nothing, without control characters, not too long.
pub(crate) fn says_something(text: &str) -> bool {
    if !is_plain(text) {
        return false;
    }
    let core = text.trim_matches(|c: char| !c.is_alphanumeric());
    !core.is_empty()
        && !WORDS_FOR_NOTHING
            .iter()
            .any(|word| core.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_texts_and_words_for_nothing_say_nothing() {
        let long = "a".repeat(LONGEST + 1);
        for text in [
            "",
            " ",
            "\u{a0}\u{200b}\u{feff}",
            "\"\"",
            "--",
            "{}",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            "undefined",
            "Undefined",
            "null",
            "NULL",
            " null ",
            "\"null\"",
            "(null)",
            "None",
            "<nil>",
            "NaN",
            "[object Object]",
            &long,
        ] {
            assert!(!says_something(text), "{text:?}");
        }
        for text in [
            "0",
            "x",
            "nullable",
            "none-7",
            "undefined behaviour",
            "чат 7",
            " spaced ",
            &long[1..],
        ] {
            assert!(says_something(text), "{text:?}");
        }
    }
}
