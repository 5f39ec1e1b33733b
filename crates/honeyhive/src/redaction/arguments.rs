//! Options have names, and beginnings in a command line.

use super::pairs::LONGEST;

/// Returns the name of an option whose value follows it: `--password`, not `--password=x`. A `--token` of a command
/// line is a secret: tokens of language models occur elsewhere.
pub(super) fn name_of(text: &str) -> Option<&str> {
    let name = text.strip_prefix("--")?;
    let is_name = name.len() <= LONGEST && name.bytes().all(is_name_byte);
    is_name.then(|| called(name))
}

/// Returns the full name of an option that is known by a short one.
pub(super) fn called(name: &str) -> &str {
    match name {
        "token" => "auth-token",
        "pass" => "password",
        _ => name,
    }
}

/// Returns whether a text ends in an escape, which belongs to no word: `\n--password`.
pub(super) fn ends_escape(text: &str) -> bool {
    let ends = ["\\n", "\\r", "\\t", "\\u0009", "\\u000a", "\\u000d"];
    ends.iter().any(|end| text.ends_with(end))
}

/// Returns whether an option of one letter may begin here that holds a password.
pub(super) fn may_begin(bytes: &[u8], at: usize) -> bool {
    matches!(bytes[at..], [b'-', b'a' | b'p' | b'u' | b'w', _, ..])
        && bytes[..at]
            .last()
            .is_some_and(|before| b" \"'".contains(before))
}

/// Returns whether a byte is a letter of an option's name.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}
