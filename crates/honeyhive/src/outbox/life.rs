//! [`Life`] tells whether an outbox is closed, and who has closed it.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use crate::log::CallSite;

/// An outbox is closed by one of these causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The program has called `shutdown` there.
    Call(CallSite),
    /// A server that the tracer has run is at its end.
    Server,
    /// A guard that was made there is dropped.
    Guard(CallSite),
    /// The last handle of a tracer is gone.
    LastHandle,
}

impl Closed {
    /// Returns the advice that makes the tracer outlive its users.
    pub(super) fn to_be_last(self) -> String {
        match self {
            Self::Call(site) => {
                format!("`shutdown` was called at {site}: end the span before that")
            }
            Self::Server => "`serve` had ended: end the span before that".to_owned(),
            Self::Guard(site) => format!(
                "the guard that was made at {site} was dropped first: make it before the span, since what is made \
                 last is dropped first"
            ),
            Self::LastHandle => "keep a handle of the tracer until then".to_owned(),
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(site) => write!(
                formatter,
                "`shutdown` was called at {site}: record before that"
            ),
            Self::Server => formatter.write_str("`serve` had ended: record before that"),
            Self::Guard(site) => write!(
                formatter,
                "the guard that was made at {site} is gone; `let _ = tracer.shutdown_guard()` drops it at once: write \
                 `let _guard = tracer.shutdown_guard();`"
            ),
            Self::LastHandle => formatter.write_str(
                "the last handle of the tracer was dropped: keep one as long as something is recorded",
            ),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) closed: OnceLock<(Closed, SystemTime)>,
    /// The line on stderr has been written.
    pub(super) has_parted: AtomicBool,
}
