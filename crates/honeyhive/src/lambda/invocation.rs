//! [`Invocation`] borrows an invocation.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// The instrumentation sees an invocation in this form.
#[derive(Clone, Copy)]
pub struct Invocation<'a> {
    pub(super) request_id: &'a str,
    pub(super) function_name: &'a str,
    pub(super) event: &'a Bytes,
    pub(super) deadline: Option<SystemTime>,
}

impl<'a> Invocation<'a> {
    /// Returns an invocation with its request id, the function's name and the event's bytes.
    ///
    /// The event is shared, not copied, and made into JSON when it is delivered.
    #[must_use]
    pub const fn new(request_id: &'a str, function_name: &'a str, event: &'a Bytes) -> Self {
        Self {
            request_id,
            function_name,
            event,
            deadline: None,
        }
    }

    /// Sets the time at which the invocation is ended from outside.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: SystemTime) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the deadline as the runtime API has it: milliseconds since 1970, 0 for none.
    #[must_use]
    pub fn with_deadline_ms(mut self, milliseconds: u64) -> Self {
        let since = Duration::from_millis(milliseconds);
        self.deadline = (milliseconds > 0)
            .then(|| SystemTime::UNIX_EPOCH.checked_add(since))
            .flatten();
        self
    }
}

impl fmt::Debug for Invocation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Events hold secrets, so they are not shown.
        formatter
            .debug_struct("Invocation")
            .field("request_id", &self.request_id)
            .field("function_name", &self.function_name)
            .field("event_bytes", &self.event.len())
            .field("deadline", &self.deadline)
            .finish()
    }
}
