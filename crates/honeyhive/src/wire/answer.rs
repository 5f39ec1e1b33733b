//! HoneyHive's answer to a call is a success or a failure, with its message in a form for errors and logs.

use std::time::{Duration, SystemTime};

use http::header::{DATE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode, Uri};
use memchr::memmem;
use opentelemetry_http::Bytes;

use crate::model::id::SessionId;
use crate::settings::Keys;

/// Errors and logs repeat at most this many bytes of HoneyHive's message.
const MESSAGE_LIMIT: usize = 200;

/// The message is searched in at most this many bytes of an answer.
const MOST_READ: usize = 64 * 1024;

/// The answer is that to a call that succeeded.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// The time of the answer is by HoneyHive's own clock, where the caller needs it.
    #[cfg(feature = "client")]
    pub(crate) date: Option<SystemTime>,
}

impl Answer {
    /// Returns whether the answer to the start of this session names another one. An answer need not name any.
    pub(crate) fn is_of_another(&self, session: SessionId) -> bool {
        !self.names(session) && self.session_id().is_some_and(|named| named != session)
    }

    /// Finds the one field that is read of such an answer without reading the rest, as compact JSON has it.
    fn names(&self, session: SessionId) -> bool {
        const FIELD: &[u8] = br#""session_id":""#;
        let text = &mut [0; SessionId::LENGTH];
        let id: &str = session.encode(text);
        let mut found = memmem::find_iter(&self.body, FIELD);
        found.any(|at| self.body[at + FIELD.len()..].starts_with(id.as_bytes()))
    }

    fn session_id(&self) -> Option<SessionId> {
        #[derive(serde::Deserialize)]
        struct Fields {
            session_id: SessionId,
        }
        serde_json::from_slice(&self.body)
            .ok()
            .map(|fields: Fields| fields.session_id)
    }
}

/// A call did not succeed for one of these reasons.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The call is worth another try.
    Transient { retry: Retry, detail: String },
    /// The same call would be refused again.
    Refused { status: u16, message: String },
}

/// The server's wish about the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// The server has no wish.
    Soon,
    /// The server asks for fewer calls (429), and names no time.
    Fewer,
    /// The server names a time.
    After(Duration),
}

impl Failure {
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Transient { .. } => None,
        }
    }
}

/// Reads an answer; no key is repeated, even where HoneyHive quotes it.
pub(super) fn read(response: Response<Bytes>, keys: &Keys) -> Result<Answer, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(Answer {
            body: response.into_body(),
            #[cfg(feature = "client")]
            date: None,
        });
    }
    let message = message_of(&response, keys);
    if is_transient(status) {
        return Err(Failure::Transient {
            retry: retry_of(&response),
            detail: format!("status {}: {message}", status.as_u16()),
        });
    }
    Err(Failure::Refused {
        status: status.as_u16(),
        message,
    })
}

/// Returns the message of an answer that is no success, without the keys.
pub(super) fn message_of(response: &Response<Bytes>, keys: &Keys) -> String {
    let told = match redirect(response) {
        Some(place) => place,
        None => message_in(&response.body()[..response.body().len().min(MOST_READ)]),
    };
    // The message is redacted first: half a key is a secret too.
    let said = said(&keys.out_of(&told));
    if said.is_empty() {
        let meaning = response.status().canonical_reason();
        return meaning.unwrap_or("without a message").to_owned();
    }
    said
}

/// Returns the target of a redirect. No call follows it: a key goes only to the host that it is meant for.
fn redirect(response: &Response<Bytes>) -> Option<String> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let place: Uri = location.parse().ok()?;
    let base = match (place.scheme_str(), place.host(), place.port()) {
        (Some(scheme), Some(host), Some(port)) => format!("{scheme}://{host}:{port}"),
        (Some(scheme), Some(host), None) => format!("{scheme}://{host}"),
        _ => String::new(),
    };
    let path = place.path();
    Some(format!(
        "it redirects to {base}{path}; set HH_API_URL to the address that is meant"
    ))
}

pub(super) const fn is_transient(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        408 | 425 | 429 | 500 | 502 | 503 | 504 | 506..=599
    )
}

/// Returns `message` or `error` of a JSON body, else all of the text.
fn message_in(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let field = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let message = field("message").or_else(|| field("error"));
    message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

/// Makes one short line for a log of a foreign text: without line breaks and without control characters.
pub(super) fn said(text: &str) -> String {
    let visible = text.split(|symbol: char| symbol.is_whitespace() || is_unseen(symbol));
    let words: Vec<_> = visible.filter(|word| !word.is_empty()).collect();
    let one_line = words.join(" ");
    match one_line.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

/// Returns true for control characters, and for those of Unicode that turn the direction of writing or show nothing.
fn is_unseen(symbol: char) -> bool {
    symbol.is_control()
        || matches!(
            symbol,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

fn retry_of(response: &Response<Bytes>) -> Retry {
    match retry_after(response.headers()) {
        Some(wait) => Retry::After(wait),
        None if response.status() == StatusCode::TOO_MANY_REQUESTS => Retry::Fewer,
        None => Retry::Soon,
    }
}

/// Reads the wait that a server asks for, in seconds or until an HTTP date. A wait that is over is none: calls that did not
/// wait at all would follow each other as fast as they fail.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| until(value, headers))?;
    (!wait.is_zero()).then_some(wait)
}

/// Returns the time until an HTTP date, by the server's own clock: that of this machine may be off.
fn until(date: &str, headers: &HeaderMap) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    let now = date_of(headers).unwrap_or_else(SystemTime::now);
    date.duration_since(now).ok()
}

/// Returns the time of an answer by the server's own clock.
pub(super) fn date_of(headers: &HeaderMap) -> Option<SystemTime> {
    let date = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(response: http::response::Builder, body: &'static str) -> String {
        let response = response.body(Bytes::from_static(body.as_bytes())).unwrap();
        match read(response, &Keys::with_project_key("hh_secret")) {
            Err(Failure::Refused { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_to_a_start_names_this_session_another_or_none() {
        let id = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11";
        let other = "11111111-1111-4111-8111-111111111111";
        for (body, is_of_another) in [
            (
                format!(r#"{{"event_id":"{id}","session_id":"{id}"}}"#),
                false,
            ),
            (
                format!(r#"{{ "session_id" : "{}" }}"#, id.to_uppercase()),
                false,
            ),
            (
                format!(r#"{{"event_id":"{id}","session_id":"{other}"}}"#),
                true,
            ),
            (format!(r#"{{"session_id":"{other}"}}"#), true),
            (r#"{"success":true}"#.to_owned(), false),
            (String::new(), false),
            ("<html>".to_owned(), false),
        ] {
            let answer = Answer {
                body: body.clone().into(),
                #[cfg(feature = "client")]
                date: None,
            };
            assert_eq!(
                answer.is_of_another(id.parse().unwrap()),
                is_of_another,
                "{body}"
            );
        }
    }

    #[test]
    fn nothing_that_a_server_says_moves_a_terminal() {
        let text = "a\r\nb\u{1b}[31mred\u{7}\u{9b}2J \u{202e}c\u{0}\u{200b}d";
        assert_eq!(said(text), "a b [31mred 2J c d");
        let long = "x".repeat(MESSAGE_LIMIT + 1);
        assert_eq!(said(&long).chars().count(), MESSAGE_LIMIT + 1);
    }

    #[test]
    fn a_redirect_says_where_to_and_neither_query_nor_credentials() {
        let to = |location: &str| {
            let response = Response::builder().status(308);
            refused(response.header(LOCATION, location), "moved")
        };
        for (location, place) in [
            (
                "https://api.example/v1/sessions?t=1",
                "https://api.example/v1/sessions;",
            ),
            (
                "https://me:pw@api.example:8443/",
                "https://api.example:8443/;",
            ),
            ("/hive/v1/sessions", "to /hive/v1/sessions;"),
        ] {
            let said = to(location);
            assert!(
                said.contains(place) && said.contains("HH_API_URL"),
                "{said}"
            );
            assert!(!said.contains("pw") && !said.contains("t=1"), "{said}");
        }
        assert_eq!(
            refused(Response::builder().status(304), "as it was"),
            "as it was"
        );
    }

    #[test]
    fn an_answer_without_words_says_what_its_status_means() {
        for (status, body, expected) in [
            (400, "", "Bad Request"),
            (422, r#"{"message": " "}"#, "Unprocessable Entity"),
            (499, "", "without a message"),
        ] {
            assert_eq!(refused(Response::builder().status(status), body), expected);
        }
    }

    #[test]
    fn the_wait_that_is_asked_for_is_read_by_the_servers_own_clock_and_one_that_is_over_is_none() {
        let wait_of = |asked: &str, date: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, asked.parse().unwrap());
            headers.insert(DATE, date.parse().unwrap());
            retry_after(&headers)
        };
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        let minute = Some(Duration::from_secs(60));
        for (asked, expected) in [
            ("60", minute),
            ("Wed, 21 Oct 2015 07:29:00 GMT", minute),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("Wed, 21 Oct 2015 07:27:00 GMT", None),
            ("0", None),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(wait_of(asked, date), expected, "{asked}");
        }
        let by_our_clock = wait_of("Wed, 21 Oct 2015 07:29:00 GMT", "yesterday");
        assert_eq!(by_our_clock, None, "that is over");
    }

    #[test]
    fn the_key_is_not_repeated() {
        let said = refused(
            Response::builder().status(401),
            r#"{"message": "no hh_secret"}"#,
        );
        assert_eq!(said, "no <redacted>");
    }
}
