//! [`Waiting`] is a finished span that waits, [`Place`] is where, and [`Batch`] is what it goes in.

use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use crate::attributes::EVENT_ID;
use crate::delivery::claim::Claim;
use crate::delivery::seal::OpenSpan;
use crate::delivery::sealed::About;
use crate::model::id::{EventId, SessionId};

/// A waiting span has its share of the accounts.
#[derive(Debug)]
pub(in crate::delivery) struct Waiting {
    pub(in crate::delivery) span: SpanData,
    pub(in crate::delivery) claim: Claim,
    pub(in crate::delivery) since: Instant,
    pub(in crate::delivery) session: Option<SessionId>,
    /// The flag tells whether the span belongs to an experiment that runs in this process.
    pub(in crate::delivery) is_of_run: bool,
}

impl Waiting {
    /// Returns the event that the span becomes, where it has a name.
    pub(in crate::delivery) fn event(&self) -> Option<SessionId> {
        event_of(&self.span)
    }
}

/// Returns the event that a span becomes, where it has a name.
pub(in crate::delivery) fn event_of(span: &SpanData) -> Option<SessionId> {
    let mut attributes = span.attributes.iter();
    let name = attributes.rfind(|it| it.key.as_str() == EVENT_ID)?;
    let event: EventId = name.value.as_str().parse().ok()?;
    Some(event.as_session())
}

/// A span waits in one of these places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delivery) enum Place {
    Free,
    Held,
    Behind,
}

/// The spans of a batch are sealed together.
#[derive(Debug)]
pub(in crate::delivery) struct Batch {
    pub(in crate::delivery) spans: Vec<OpenSpan>,
    pub(in crate::delivery) about: About,
    pub(in crate::delivery) claim: Claim,
    /// The oldest span has waited since this time.
    pub(in crate::delivery) since: Instant,
}
