//! [`Update`] is an addition to a session, or its end.

use std::time::{Duration, SystemTime};

use super::load::Load;
use crate::enrichment::Enrichment;
use crate::model::limits::{self, VALUE_BYTES};

/// The delivery thread keeps this many bytes of an update besides its data; most updates join others.
pub(super) const UPDATE_BYTES: usize = size_of::<Enrichment>() + 256;
/// The outputs and metadata of an end become objects of about this size.
const END_BYTES: usize = 2_048;

/// The timing tells from when on an update may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// The update goes after the usual delay.
    Soon,
    /// The update goes with the end of the request: until the request's spans have arrived, the session may not exist.
    WithTheEnd,
    /// The update goes after the spans that are on their way: one of them may be the event.
    AfterSpans,
}

/// An update adds to a session, or ends it.
#[derive(Debug)]
pub(crate) enum Update {
    Enrich(Box<Enrichment>),
    End(SessionEnd),
}

impl Update {
    /// Returns true where something went wrong.
    pub(crate) fn has_failed(&self) -> bool {
        match self {
            Self::Enrich(enrichment) => enrichment.error_text().is_some(),
            Self::End(end) => end.error.is_some(),
        }
    }

    /// Returns how long the ended request or unit of work took.
    pub(crate) fn took(&self) -> Duration {
        match self {
            Self::Enrich(_) => Duration::ZERO,
            Self::End(end) => end.duration,
        }
    }

    /// Returns the end of the request or the unit of work, where the update has it.
    pub(crate) fn ended_at(&self) -> Option<SystemTime> {
        match self {
            Self::Enrich(_) => None,
            Self::End(end) => Some(end.ended_at),
        }
    }
}

/// The work of a session has one of these outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The work ran to its end.
    Complete,
    /// The work ended with an error, before or within the answer.
    Error,
    /// The client went away first.
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    ClientDisconnected,
    /// The handler panicked.
    Panicked,
    /// The work was dropped before its end.
    Cancelled,
    /// An answer was given; whether it is a result or an error could not be seen.
    #[cfg(feature = "lambda")]
    Answered,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error => "error",
            Self::ClientDisconnected => "client_disconnected",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            #[cfg(feature = "lambda")]
            Self::Answered => "answered",
        }
    }
}

/// The end of a session has an outcome, a duration and more.
#[derive(Debug)]
pub(crate) struct SessionEnd {
    pub(crate) ended_at: SystemTime,
    pub(crate) duration: Duration,
    pub(crate) outcome: Outcome,
    pub(crate) status_code: Option<u16>,
    pub(crate) grpc_status: Option<i32>,
    pub(crate) time_to_first_byte: Option<Duration>,
    pub(crate) response_bytes: Option<u64>,
    pub(crate) error: Option<String>,
    /// The session began here and ends here, so the duration is its own.
    pub(crate) whole_session: bool,
}

impl SessionEnd {
    /// Returns the end of a whole session of work that was no HTTP request.
    pub(crate) fn of_work(started_at: SystemTime, duration: Duration, outcome: Outcome) -> Self {
        Self {
            ended_at: started_at + duration,
            duration,
            outcome,
            status_code: None,
            grpc_status: None,
            time_to_first_byte: None,
            response_bytes: None,
            error: None,
            whole_session: true,
        }
    }

    /// Cuts the update down to the limits.
    #[inline]
    pub(super) fn fit(&mut self) {
        if let Some(error) = &mut self.error {
            limits::shorten(error, VALUE_BYTES);
        }
    }

    #[inline]
    pub(super) fn load(&self) -> Load {
        Load::one(END_BYTES + self.error.as_ref().map_or(0, String::len))
    }
}
