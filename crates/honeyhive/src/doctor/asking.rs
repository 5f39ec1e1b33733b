//! [`Asker`] makes the doctor's own calls, and describes their failures in full.

use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::Value;

use crate::delivery::LONGEST_ASKING;
use crate::outbox::wait::Waited;
use crate::outbox::{Asked, Outbox, Reply};
use crate::secret::KeyKind;
use crate::tracer::HoneyHiveTracer;
use crate::wire::{ApiCall, ApiFailure};

/// The asker makes calls with the tracer's client and keys.
pub(super) struct Asker<'t> {
    outbox: &'t Outbox,
    /// Sessions and spans are sent with a key of this kind.
    pub(super) writes_with: KeyKind,
}

/// The doctor got a success as its answer.
#[derive(Debug, Default)]
pub(super) struct Success {
    pub(super) body: Value,
    pub(super) date: Option<SystemTime>,
}

impl<'t> Asker<'t> {
    pub(super) fn new(tracer: &'t HoneyHiveTracer, writes_with: KeyKind) -> Self {
        Self {
            outbox: tracer.outbox(),
            writes_with,
        }
    }

    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        takes: KeyKind,
    ) -> Result<Success, ApiFailure> {
        let timeout = self.outbox.answer_timeout();
        let call = ApiCall {
            method,
            path: path.to_owned(),
            body: body.map(|body| body.to_string().into()),
            takes,
            timeout,
            is_repeatable: false,
        };
        let (reply, answer) = Reply::awaited(LONGEST_ASKING + timeout);
        self.outbox.ask(Asked { call, reply });
        let none = |detail: &str| ApiFailure::Unanswered {
            detail: detail.to_owned(),
            may_have_arrived: true,
        };
        match answer.await {
            Waited::Answered(answer) => answer.map(|answer| Success {
                body: serde_json::from_slice(&answer.body).unwrap_or_default(),
                date: answer.date,
            }),
            Waited::Late => Err(none("no answer came in time")),
            Waited::Gone => Err(none("the tracer is shut down")),
        }
    }

    /// Writes with the key that sessions and spans are written with.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Success, ApiFailure> {
        self.ask(method, path, Some(body), self.writes_with).await
    }

    /// Reads with the project key.
    pub(super) async fn read(&self, path: &str) -> Result<Success, ApiFailure> {
        self.ask(Method::GET, path, None, KeyKind::Project).await
    }
}

/// Describes the failure of a call.
pub(super) fn described(failure: &ApiFailure) -> String {
    match failure {
        ApiFailure::MissingKey(kind) => format!("there is no {kind}"),
        ApiFailure::Status {
            status, message, ..
        } => format!("{status}: {message}"),
        ApiFailure::Unanswered { detail, .. } => detail.clone(),
        ApiFailure::TooLong => "the answer is too long".to_owned(),
        ApiFailure::TestMode => "the tracer is in test mode".to_owned(),
    }
}

/// Lets a second go by, on any runtime.
pub(super) async fn pause() {
    let (reply, answer) = Reply::<()>::awaited(Duration::ZERO);
    let _ = answer.await;
    drop(reply);
}
