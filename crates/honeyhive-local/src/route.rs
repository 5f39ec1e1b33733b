//! Which call a method and a path are.

use http::Method;

use crate::fault::Endpoint;

/// A call that the server knows, or why it is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /v1/sessions`.
    StartSession,
    /// `POST /session/start`.
    StartSessionLegacy,
    /// `PUT /v1/events/{id}`.
    UpdateEvent(String),
    /// `PUT /events`.
    UpdateEventLegacy,
    /// `POST /opentelemetry/v1/traces`.
    Traces,
    Projects,
    Health,
    /// The pages and `/api`.
    Read(ReadRoute),
    WrongMethod(&'static str),
    Unknown,
}

/// A call of the read side.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadRoute {
    Page,
    Style,
    SessionPage(String),
    Sessions,
    Session(String),
    Requests,
    Orphans,
    Clear,
}

impl Route {
    pub(crate) fn of(method: &Method, path: &str, v1_routes: bool) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let parts: Vec<&str> = path.split('/').collect();
        if parts.first() == Some(&"v1") && !v1_routes {
            return Self::Unknown;
        }
        let (allowed, route) = Self::at(&parts);
        let reads = method == Method::HEAD && allowed == "GET";
        if allowed.is_empty() || method == allowed || reads {
            return route;
        }
        Self::WrongMethod(allowed)
    }

    /// The call at a path, and the method it takes.
    fn at(parts: &[&str]) -> (&'static str, Self) {
        match parts {
            ["v1", "sessions"] => ("POST", Self::StartSession),
            ["v1", "events", id] => ("PUT", Self::UpdateEvent(decode(id))),
            ["session", "start"] => ("POST", Self::StartSessionLegacy),
            ["events"] => ("PUT", Self::UpdateEventLegacy),
            ["opentelemetry", "v1", "traces"] => ("POST", Self::Traces),
            ["projects"] => ("GET", Self::Projects),
            ["healthz"] => ("GET", Self::Health),
            ["api"] => ("DELETE", Self::Read(ReadRoute::Clear)),
            _ => match ReadRoute::at(parts) {
                Some(route) => ("GET", Self::Read(route)),
                None => ("", Self::Unknown),
            },
        }
    }

    /// What a fault is aimed at to meet this call.
    pub(crate) fn endpoint(&self) -> Endpoint {
        match self {
            Self::StartSession | Self::StartSessionLegacy => Endpoint::Sessions,
            Self::UpdateEvent(_) | Self::UpdateEventLegacy => Endpoint::Events,
            Self::Traces => Endpoint::Traces,
            _ => Endpoint::All,
        }
    }
}

impl ReadRoute {
    fn at(parts: &[&str]) -> Option<Self> {
        Some(match parts {
            [""] => Self::Page,
            ["style.css"] => Self::Style,
            ["sessions", id] => Self::SessionPage(decode(id)),
            ["api", "sessions"] => Self::Sessions,
            ["api", "sessions", id] => Self::Session(decode(id)),
            ["api", "requests"] => Self::Requests,
            ["api", "orphans"] => Self::Orphans,
            _ => return None,
        })
    }
}

/// A path segment with its percent-escapes undone.
fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escaped.and_then(hex_byte);
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `text` as one path segment.
pub(crate) fn encode(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok()?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn segments_survive_being_encoded_and_decoded() {
        for text in ["", "a b/c?d", "ünï", "%zz%", "50%25", "+1"] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
