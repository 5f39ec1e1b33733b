//! Paths and queries are encoded here.

use std::fmt::Write as _;

/// Adds `/` and one part of a path; false for a text that cannot be a part.
pub(super) fn push_part(path: &mut String, part: &str) -> bool {
    path.push('/');
    encode(part, path);
    // A blank part would address the whole collection, and dots another path.
    !matches!(part.trim(), "" | "." | "..")
}

/// Adds `name=value` to a query.
pub(super) fn push_pair(query: &mut String, name: &str, value: &str) {
    query.push(if query.is_empty() { '?' } else { '&' });
    encode(name, query);
    query.push('=');
    encode(value, query);
}

fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // A `String` takes everything.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_part_is_it_stays_one() {
        for (part, expected) in [
            ("EXT-1.2_3~", Some("/EXT-1.2_3~")),
            ("a/b?c#d e", Some("/a%2Fb%3Fc%23d%20e")),
            ("ä%", Some("/%C3%A4%25")),
            ("a\r\nb", Some("/a%0D%0Ab")),
            ("", None),
            (" ", None),
            (".", None),
            ("..", None),
        ] {
            let mut path = String::new();
            let is_part = push_part(&mut path, part);
            assert_eq!(is_part.then_some(path.as_str()), expected, "{part:?}");
        }
    }

    #[test]
    fn a_query_has_its_pairs_in_their_order() {
        let mut query = String::new();
        push_pair(&mut query, "run_ids[]", "a&b");
        push_pair(&mut query, "name", "c=d");
        assert_eq!(query, "?run_ids%5B%5D=a%26b&name=c%3Dd");
    }
}
