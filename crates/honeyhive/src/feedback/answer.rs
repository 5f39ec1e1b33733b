//! [`FeedbackAnswer`] is the response to a rating.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::json;

/// The answer to a rating becomes the response of the adapter's framework.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an answer goes back to the client"]
pub struct FeedbackAnswer {
    status_code: u16,
    body: Cow<'static, str>,
    more: Option<(&'static str, Cow<'static, str>)>,
}

impl FeedbackAnswer {
    /// Returns the status.
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        self.status_code
    }

    /// Returns the headers, with their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let more = self.more.iter().map(|(name, value)| (*name, &**value));
        [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
        ]
        .into_iter()
        .chain(more)
    }

    /// Returns the body, which is JSON.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the body, to be moved into a response.
    #[must_use]
    pub fn into_body(self) -> Cow<'static, str> {
        self.body
    }

    pub(super) const fn accepted() -> Self {
        Self {
            status_code: 202,
            body: Cow::Borrowed(r#"{"status":"accepted"}"#),
            more: None,
        }
    }

    /// Returns the answer to a body of a wrong form.
    pub(super) fn invalid(message: &str) -> Self {
        Self::refused(400, "invalid_feedback", message)
    }

    /// Returns the answer to a client that broke off, or whose bytes are no HTTP body.
    pub fn unreadable() -> Self {
        Self::invalid("the body did not arrive whole")
    }

    pub(super) fn forbidden() -> Self {
        let message =
            "this id is not one that can be rated: send it as it came in the response header";
        Self::refused(403, "untrusted_id", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        let mut answer = Self::refused(405, "method_not_allowed", "feedback is sent by POST");
        answer.more = Some(("allow", "POST".into()));
        answer
    }

    /// Returns the answer to a body that is too long.
    pub fn too_large() -> Self {
        Self::refused(413, "too_large", "feedback has at most 32 KiB")
    }

    pub(super) fn unsupported_media_type() -> Self {
        let message = "feedback is JSON: send `content-type: application/json`";
        Self::refused(415, "unsupported_media_type", message)
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        let message = "too much feedback for this id: come again later";
        let mut answer = Self::refused(429, "too_many_requests", message);
        let seconds = wait.as_secs().saturating_add(1);
        answer.more = Some(("retry-after", seconds.to_string().into()));
        answer
    }

    fn refused(status_code: u16, code: &str, message: &str) -> Self {
        let body = json!({"error": {"code": code, "message": message}});
        Self {
            status_code,
            body: body.to_string().into(),
            more: None,
        }
    }
}
