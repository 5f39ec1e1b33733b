//! [`Content`] is the kind of a response's bytes, by its head.

/// The kind is that of the bytes that follow, by the response's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Content {
    /// The first byte decides.
    #[default]
    Unknown,
    /// The bytes are events or lines.
    Lines,
    /// The bytes are one JSON text.
    Whole,
    /// The bytes are a JSON list, read item by item.
    List,
    /// The bytes are audio, and are counted.
    Voice,
    /// The bytes are a text as it is: a transcript, with or without times.
    Text,
    /// The bytes are compressed, or nothing that a model writes.
    Other,
}

impl Content {
    /// Returns the kind of a transcript, which is a text where the request asks for one: `text`, `srt` or `vtt`.
    pub(crate) fn of_transcript(
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> Self {
        const TEXT: &str = "text/";
        let is_text = content_type.is_some_and(|it| {
            let head = it.trim_start().get(..TEXT.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(TEXT))
        });
        match Self::of(content_type, content_encoding) {
            Self::Unknown if is_text => Self::Text,
            known => known,
        }
    }

    /// Returns the kind by the headers `content-type` and `content-encoding`.
    pub(crate) fn of(content_type: Option<&str>, content_encoding: Option<&str>) -> Self {
        // Most streams have these headers.
        if let (Some("text/event-stream"), None) = (content_type, content_encoding) {
            return Self::Lines;
        }
        if content_encoding
            .is_some_and(|it| !it.trim().is_empty() && !it.trim().eq_ignore_ascii_case("identity"))
        {
            return Self::Other;
        }
        let Some(content_type) = content_type else {
            return Self::Unknown;
        };
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        if is("text/event-stream") || is("application/x-ndjson") || is("application/jsonl") {
            return Self::Lines;
        }
        let starts = |prefix: &str| {
            let head = kind.get(..prefix.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
        };
        if starts("audio/") {
            return Self::Voice;
        }
        if ["image/", "video/"].into_iter().any(starts) || is("application/octet-stream") {
            return Self::Other;
        }
        Self::Unknown
    }
}
