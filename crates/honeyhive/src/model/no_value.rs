//! [`is_no_error`] finds errors that are set and mean that there is none.

use opentelemetry::Value;

/// Returns whether the value of `error` means that there is none: `error = false`, an empty text, a missing option.
pub(crate) fn is_no_error(error: &Value) -> bool {
    match error {
        Value::Bool(is_error) => !is_error,
        Value::I64(code) => *code == 0,
        Value::F64(code) => *code == 0.0,
        Value::String(text) => is_no_value(text.as_str()),
        _ => false,
    }
}

/// Returns whether a text is a usual word for nothing.
pub(crate) fn is_no_value(text: &str) -> bool {
    const NOTHING: [&str; 15] = [
        "",
        "()",
        "0",
        "Some(None)",
        "Some(\"\")",
        "[]",
        "\"\"",
        "{}",
        "false",
        "no error",
        "ok",
        "nil",
        "none",
        "null",
        "undefined",
    ];
    let text = text.trim();
    let is_ok = text.starts_with("Ok(") && text.ends_with(')');
    is_ok
        || NOTHING
            .iter()
            .any(|nothing| text.eq_ignore_ascii_case(nothing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_says_that_there_is_none_is_no_error() {
        for nothing in [
            Value::from(false),
            "".into(),
            " ".into(),
            "None".into(),
            "false".into(),
            "null".into(),
            "()".into(),
            "Ok(3)".into(),
            "Some(None)".into(),
            "[]".into(),
            "0".into(),
            "no error".into(),
            0.into(),
        ] {
            assert!(is_no_error(&nothing), "{nothing:?}");
        }
        for error in [
            Value::from(true),
            "no route".into(),
            "Nonesuch".into(),
            "0 rows".into(),
            "Some(\"x\")".into(),
            404.into(),
        ] {
            assert!(!is_no_error(&error), "{error:?}");
        }
    }
}
