//! A server can fail on purpose, so that clients can be tested.

mod plan;

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use crate::reply::{JSON, Reply};

pub(crate) use plan::Plan;

/// `Abort` says how a connection ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Abort {
    #[error("closed without an answer")]
    Close,
    #[error("reset without an answer")]
    Reset,
}

/// An `Endpoint` names the calls that a [`Fault`] is aimed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Endpoint {
    /// The fault meets `POST /v1/sessions` and `POST /session/start`.
    Sessions,
    /// The fault meets `PUT /v1/events/{id}` and `PUT /events`.
    Events,
    /// The fault meets `POST /opentelemetry/v1/traces` and `POST /v1/traces`.
    Traces,
    /// The fault meets everything but the pages, `/api` and `/healthz`.
    #[default]
    All,
}

/// A `Fault` is a way to fail, for [`LocalServer::fail`](crate::LocalServer::fail).
///
/// ```
/// use honeyhive_local::{Endpoint, Fault};
/// use std::time::Duration;
///
/// // Two exports are turned away; the third gets through.
/// let overloaded = Fault::status(503).header("retry-after", "1").on(Endpoint::Traces).times(2);
/// // One session in four is kept, and the client never hears of it.
/// let lost_answer = Fault::reset().on(Endpoint::Sessions).share(0.25).after_applying();
/// let slow = Fault::delay(Duration::from_millis(200));
/// # let _ = (overloaded, lost_answer, slow);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a fault does nothing until it is given to `LocalServer::fail`"]
pub struct Fault {
    outcome: Outcome,
    delay: Duration,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
    endpoint: Endpoint,
    times: Option<u64>,
    share: f64,
    seed: Option<u64>,
    after_applying: bool,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// The answer that would have been given anyway.
    Ordinary,
    Status(StatusCode),
    Hang,
    Abort(Abort),
}

impl Fault {
    /// Answers this status; one that HTTP does not have, or that ends nothing (1xx), becomes 500.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).ok();
        let status = status.filter(|status| !status.is_informational());
        Self::new(Outcome::Status(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        ))
    }

    /// Answers as usual, but only after `delay`.
    pub fn delay(delay: Duration) -> Self {
        Self::new(Outcome::Ordinary).delayed(delay)
    }

    /// Never answers.
    pub fn hang() -> Self {
        Self::new(Outcome::Hang)
    }

    /// Resets the connection (TCP RST) instead of answering.
    pub fn reset() -> Self {
        Self::new(Outcome::Abort(Abort::Reset))
    }

    /// Closes the connection instead of answering.
    pub fn close() -> Self {
        Self::new(Outcome::Abort(Abort::Close))
    }

    /// Waits this long before failing.
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a header to a status answer; one that HTTP does not allow is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse(), value.parse()) {
            self.headers.push((name, value));
        }
        self
    }

    /// Sets the body of a status answer, instead of JSON with a message.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Fails only calls to this endpoint.
    pub fn on(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Fails this many calls, then no more; without it, every call until healed.
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }

    /// Fails this share of the calls, evenly spread: of four calls at 0.25, the fourth.
    pub fn share(mut self, share: f64) -> Self {
        self.share = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        self
    }

    /// Fails its [`share`](Self::share) of the calls at random instead of evenly: each call with that probability, the
    /// same calls for the same seed.
    pub fn at_random(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Does what the call asks for first, then fails: only the answer is lost.
    pub fn after_applying(mut self) -> Self {
        self.after_applying = true;
        self
    }

    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            delay: Duration::ZERO,
            headers: Vec::new(),
            body: None,
            endpoint: Endpoint::All,
            times: None,
            share: 1.0,
            seed: None,
            after_applying: false,
        }
    }

    /// Plays the fault for a call; `apply` does what the call asks for, once it is polled.
    pub(crate) async fn play(
        self,
        apply: impl Future<Output = Response>,
    ) -> Result<Response, Abort> {
        let mut apply = Some(apply);
        let mut applied = None;
        if self.after_applying
            && let Some(apply) = apply.take()
        {
            applied = Some(apply.await);
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        match self.outcome {
            Outcome::Ordinary => {
                if let Some(apply) = apply {
                    applied = Some(apply.await);
                }
                Ok(applied.unwrap_or_default())
            }
            Outcome::Status(status) => Ok(self.reply(status).into_response()),
            Outcome::Hang => std::future::pending().await,
            Outcome::Abort(abort) => Err(abort),
        }
    }

    fn reply(self, status: StatusCode) -> Reply {
        let mut reply = Reply::refusal(status, "this is a fault that was asked for");
        reply.body = self.body.unwrap_or(reply.body);
        if self.headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
            reply.headers.retain(|(_, kind)| kind != JSON);
        }
        reply.headers.extend(self.headers);
        reply
    }
}
