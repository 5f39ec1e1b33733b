//! [`asking_for_usage`] adds the option by which the stream of a chat counts its tokens.

use super::json::Index;

/// Returns the body with the wish for token counts in it; `None` where it streams no chat, or has a wish of its own.
pub(crate) fn asking_for_usage(body: &[u8]) -> Option<Vec<u8>> {
    const WISH: &[u8] = br#""stream_options":{"include_usage":true},"#;
    let text = std::str::from_utf8(body).ok()?;
    let mut index = Index::new();
    let root = index.read(text)?;
    let streams = root.get("stream").is_some_and(|it| it.raw() == "true");
    if !streams || !root.get("messages")?.is_list() || root.get("stream_options").is_some() {
        return None;
    }
    let at = text.find('{')? + 1;
    Some([&body[..at], WISH, &body[at..]].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_wish_for_usage_is_added_where_a_chat_streams_and_says_none() {
        let asked =
            asking_for_usage(br#" {"model":"m","messages":[],"stream":true}"#).expect("a stream");
        let asked: Value = serde_json::from_slice(&asked).expect("JSON");
        assert_eq!(asked["stream_options"]["include_usage"], true);
        assert_eq!(asked["model"], "m");
        for body in [
            r#"{"messages":[]}"#,
            r#"{"messages":[],"stream":false}"#,
            r#"{"input":"x","stream":true}"#,
            r#"{"messages":[],"stream":true,"stream_options":{"include_usage":false}}"#,
            "not json",
        ] {
            assert_eq!(asking_for_usage(body.as_bytes()), None, "{body}");
        }
    }
}
