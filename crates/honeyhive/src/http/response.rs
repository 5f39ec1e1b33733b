//! [`ResponseGuard`]: from the response head to the end of its body.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::panic::resume_unwind;
use std::str::FromStr;
use std::time::Instant;

use super::Headers;
use super::ending::{Active, Ending};
use crate::incoming::{Scope, panic_text, text_of};
use crate::outbox::Outcome;

const GRPC_STATUS_HEADER: &str = "grpc-status";
const CONTENT_LENGTH_HEADER: &str = "content-length";

/// A response whose body is on its way. Dropping it says that the client went away.
#[must_use = "dropping the guard says that the client went away"]
pub struct ResponseGuard {
    scope: Scope,
    active: Option<Active>,
    status_code: u16,
    grpc_status: Option<i32>,
    first_byte: Option<Instant>,
    bytes: u64,
    /// How many bytes there will be: a server that has them all may never ask for the body's end.
    length: Option<u64>,
}

impl ResponseGuard {
    #[inline]
    pub(super) fn begin(
        scope: Scope,
        active: Option<Active>,
        status_code: u16,
        headers: &dyn Headers,
        body_length: Option<u64>,
    ) -> Self {
        let Some(active) = active else {
            return Self::inactive(scope, status_code);
        };
        Self::watching(scope, active, status_code, headers, body_length)
    }

    const fn inactive(scope: Scope, status_code: u16) -> Self {
        Self {
            scope,
            active: None,
            status_code,
            grpc_status: None,
            first_byte: None,
            bytes: 0,
            length: None,
        }
    }

    fn watching(
        scope: Scope,
        active: Active,
        status_code: u16,
        headers: &dyn Headers,
        body_length: Option<u64>,
    ) -> Self {
        let has_no_body = active.is_head
            || matches!(status_code, 100..=199 | 204 | 304)
            || body_length == Some(0);
        let told = match body_length {
            // Neither gRPC nor a stream whose length somebody has declared.
            Some(1..) => Told::default(),
            _ => Told::by(headers),
        };
        let mut guard = Self {
            scope,
            active: Some(active),
            status_code,
            grpc_status: told.grpc_status,
            first_byte: None,
            bytes: 0,
            length: body_length.or(told.content_length),
        };
        if has_no_body {
            guard.finish();
        }
        guard
    }

    /// True where nothing is recorded any more, so that a body need not be watched.
    #[must_use]
    #[inline]
    pub const fn is_done(&self) -> bool {
        self.active.is_none()
    }

    /// Polls the body in the request's context. A panic is recorded and goes on.
    #[inline]
    pub fn run<T>(&mut self, piece: impl FnOnce() -> T) -> T {
        match self.scope.run(piece) {
            Ok(done) => done,
            Err(panic) => self.panicked(panic),
        }
    }

    #[cold]
    fn panicked(&mut self, panic: Box<dyn Any + Send>) -> ! {
        self.end(Outcome::Panicked, Some(panic_text(&*panic).into()));
        resume_unwind(panic)
    }

    /// Bytes of the body are about to pass.
    #[inline]
    pub fn on_data(&mut self, bytes: usize) {
        if !self.is_done() {
            self.note_data(bytes);
        }
    }

    fn note_data(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let is_first = self.first_byte.is_none() && bytes > 0;
        let is_last = self.length.is_some_and(|length| self.bytes >= length);
        if !(is_first || is_last) {
            return;
        }
        let now = Instant::now();
        if is_first {
            self.first_byte = Some(now);
        }
        if is_last {
            self.finish_at(now);
        }
    }

    /// Trailers are about to pass; they end the body.
    pub fn on_trailers(&mut self, trailers: &dyn Headers) {
        self.grpc_status = Told::by(trailers).grpc_status.or(self.grpc_status);
        self.finish();
    }

    /// The body has ended.
    #[inline]
    pub fn finish(&mut self) {
        if !self.is_done() {
            self.finish_at(Instant::now());
        }
    }

    fn finish_at(&mut self, now: Instant) {
        let error = self.error_of_status();
        self.end_at(now, Outcome::Complete, error);
    }

    /// The body has failed.
    pub fn on_error(&mut self, error: &dyn fmt::Display) {
        self.end(Outcome::Error, Some(text_of(error).into()));
    }

    /// What a complete answer says of itself: server errors only, as OpenTelemetry's conventions have it.
    fn error_of_status(&self) -> Option<Cow<'static, str>> {
        match (self.grpc_status, self.status_code) {
            (Some(status @ (2 | 4 | 12..=15)), _) => Some(format!("gRPC status {status}").into()),
            (_, status @ 500..) => Some(format!("HTTP status {status}").into()),
            _ => None,
        }
    }

    #[inline]
    fn end(&mut self, outcome: Outcome, error: Option<Cow<'static, str>>) {
        if !self.is_done() {
            self.end_at(Instant::now(), outcome, error);
        }
    }

    fn end_at(&mut self, now: Instant, outcome: Outcome, error: Option<Cow<'static, str>>) {
        let Some(active) = self.active.take() else {
            return;
        };
        let ending = Ending {
            at: now,
            outcome,
            status_code: self.status_code,
            error: error.map(Cow::into_owned),
            grpc_status: self.grpc_status,
            first_byte: self.first_byte,
            response_bytes: Some(self.bytes),
        };
        // The scope stays: a framework may poll a body whose bytes nobody gets, as actix-web does for `HEAD`,
        // and what is made there is this session's still.
        active.end(&self.scope, ending);
    }
}

impl Drop for ResponseGuard {
    #[inline]
    fn drop(&mut self) {
        self.end(Outcome::ClientDisconnected, None);
    }
}

impl fmt::Debug for ResponseGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseGuard")
            .field("status_code", &self.status_code)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// What the response's headers or trailers say of the body and of how the call went.
#[derive(Default)]
struct Told {
    content_length: Option<u64>,
    grpc_status: Option<i32>,
}

impl Told {
    fn by(headers: &dyn Headers) -> Self {
        let mut told = Self::default();
        headers.for_each(&mut |name, value| match name {
            CONTENT_LENGTH_HEADER => told.content_length = number(value),
            GRPC_STATUS_HEADER => told.grpc_status = number(value),
            _ => {}
        });
        told
    }
}

fn number<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}
