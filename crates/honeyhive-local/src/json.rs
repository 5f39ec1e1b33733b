//! JSON from outside has bounds: a small text can ask for a thousand times its memory.

use serde_json::Value;

/// The most values of a body; a full batch of the official SDKs has a tenth of them.
const MOST_NODES: usize = 500_000;

/// Reads a body.
///
/// # Errors
///
/// When it is no JSON, or holds more values than is good for the server; the text says which.
pub(crate) fn parse(body: &[u8]) -> Result<Value, String> {
    parse_within(body, MOST_NODES)
}

/// Reads a body that shows what was taken in before, and so may have `times` as many values.
///
/// # Errors
///
/// As of [`parse`].
pub(crate) fn parse_longer(body: &[u8], times: usize) -> Result<Value, String> {
    parse_within(body, MOST_NODES * times)
}

fn parse_within(body: &[u8], most: usize) -> Result<Value, String> {
    if nodes(body) > most {
        return Err(format!(
            "the body holds more than {most} JSON values: send it in parts"
        ));
    }
    serde_json::from_slice(body).map_err(|error| format!("invalid JSON: {error}"))
}

/// Returns about how many values a text has: one after each comma and each opening bracket outside strings.
fn nodes(body: &[u8]) -> usize {
    let mut nodes = 1;
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b',' | b'[' | b'{' => nodes += 1,
            _ => {}
        }
    }
    nodes
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_NODES, nodes, parse};

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert_eq!(
            nodes(br#"{"a":"[{,\"[","b":[1,2,{}]}"#),
            1 + 1 + 1 + 1 + 2 + 1
        );
    }

    #[test]
    fn a_body_with_too_many_values_is_refused_before_it_is_read() {
        let many = format!("[{}]", "{},".repeat(MOST_NODES));
        assert!(parse(many.as_bytes()).is_err_and(|why| why.contains("500000")));
        assert!(parse(&b"{},".repeat(10)).is_err_and(|why| why.contains("invalid JSON")));
    }
}
