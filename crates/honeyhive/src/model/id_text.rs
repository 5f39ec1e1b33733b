//! The texts that can be an id are told from the placeholders that cannot.

/// A text that names a session has this many bytes at the most.
pub(crate) const LONGEST: usize = 256;

/// Programs write these words where they have no id.
const WORDS_FOR_NOTHING: [&str; 10] = [
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "false",
    "true",
    "n/a",
    "unknown",
    "optional(nil",
];

/// Returns true for a text that can be shown as an id: neither blank nor too long, without control characters.
pub(crate) fn is_plain(text: &str) -> bool {
    let has_control = text.chars().any(char::is_control);
    text.len() <= LONGEST && !has_control && !text.trim().is_empty()
}

/// Returns true for a text that names something: neither blank nor a word for nothing, without control characters, not
/// too long.
pub(crate) fn says_something(text: &str) -> bool {
    if !is_plain(text) {
        return false;
    }
    let core = text.trim_matches(|c: char| !c.is_alphanumeric());
    !core.is_empty()
        && !is_template(text.trim())
        && !is_empty_uuid(core)
        && !is_nothing(core)
        && !is_made_of_nothing(core)
}

/// Returns whether a text is a word for nothing, or JavaScript's text of an object.
fn is_nothing(text: &str) -> bool {
    const OBJECT: &str = "object ";
    let is_object = text
        .strip_prefix(OBJECT)
        .is_some_and(|class| class.bytes().all(|it| it.is_ascii_alphabetic()));
    let mut words = WORDS_FOR_NOTHING.iter();
    is_object || words.any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns whether the text joins several words for nothing: `undefined-undefined`.
fn is_made_of_nothing(core: &str) -> bool {
    let mut words = core.split(|c: char| !c.is_alphanumeric());
    words.all(|word| word.is_empty() || is_nothing(word))
}

/// Returns whether the text is a template that nobody has filled in: `{{conversation_id}}`, `${ID}`, `{id}`, `<id>`,
/// `:id`, `%s`.
fn is_template(text: &str) -> bool {
    let begins = text.starts_with("{{") || text.starts_with("${");
    let is_name = |name: &str| {
        let is_letter = |it: u8| it.is_ascii_alphabetic() || it == b'_';
        !name.is_empty() && name.bytes().all(is_letter)
    };
    let within = [("{", "}"), ("<", ">"), ("$", ""), (":", ""), ("%(", ")s")];
    let mut within = within
        .iter()
        .filter_map(|(before, behind)| text.strip_prefix(before)?.strip_suffix(behind));
    (begins && text.ends_with('}')) || text == "%s" || within.any(is_name)
}

/// Returns whether the text is the UUID of zeros or of ones, in any of the forms that UUIDs have, also behind a prefix
/// (`thread:00000000-…`): all callers without an id have the same.
fn is_empty_uuid(core: &str) -> bool {
    let digits = core.rsplit(':').next().unwrap_or(core);
    let is_all_of = |digit: u8| {
        let mut bytes = digits.bytes().filter(|byte| *byte != b'-');
        bytes.all(|byte| byte.eq_ignore_ascii_case(&digit))
    };
    let length = digits.bytes().filter(|byte| *byte != b'-').count();
    length == 32 && (is_all_of(b'0') || is_all_of(b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_texts_and_words_for_nothing_say_nothing() {
        let long = "a".repeat(LONGEST + 1);
        for text in [
            "",
            "thread:00000000-0000-0000-0000-000000000000",
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
            "false",
            "true",
            "N/A",
            "unknown",
            "Optional(nil)",
            "{{conversation_id}}",
            "${CONVERSATION_ID}",
            "{conversation_id}",
            "<session_id>",
            "$ID",
            ":id",
            "%s",
            "%(id)s",
            "undefined-undefined",
            "null:null",
            "None, None",
            "[object Promise]",
            "00000000000000000000000000000000",
            "{00000000-0000-0000-0000-000000000000}",
            "urn:uuid:ffffffff-ffff-ffff-ffff-ffffffffffff",
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
            "unknown-7",
            "{{id}} 7",
            "{id} 7",
            "{1b4e28ba-2fa1-11d2-883f-0016d3cca427}",
            "<7>",
            "$7",
            "%7",
            "user:null",
            "null-7",
            "object",
            "00000000000000000000000000000001",
            "0000",
            &long[1..],
        ] {
            assert!(says_something(text), "{text:?}");
        }
    }
}
