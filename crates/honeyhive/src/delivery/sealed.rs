//! [`Sealed`] is a call to HoneyHive as it goes out, in memory and on disk the same.

use std::sync::Arc;

use opentelemetry_http::Bytes;
use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use super::claim::Claim;
use crate::model::id::SessionId;
use crate::outbox::StartRecord;
use crate::spool::{Kind, Ticket};
use crate::wire::Payload;

/// The target tells the route of a call, and the session or event that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Start(SessionId),
    Update(SessionId),
    /// The spans may be of any sessions.
    Traces,
}

impl Target {
    /// Returns the target of a record on disk.
    pub(super) const fn of(kind: Kind, id: [u8; 16]) -> Self {
        match kind {
            Kind::Start => Self::Start(SessionId::from_bytes(id)),
            Kind::Update => Self::Update(SessionId::from_bytes(id)),
            Kind::Traces => Self::Traces,
        }
    }

    pub(super) const fn is_traces(self) -> bool {
        matches!(self, Self::Traces)
    }

    pub(super) const fn is_update(self) -> bool {
        matches!(self, Self::Update(_))
    }

    /// Returns the session or event of a REST call.
    pub(super) const fn id(self) -> Option<SessionId> {
        match self {
            Self::Start(id) | Self::Update(id) => Some(id),
            Self::Traces => None,
        }
    }
}

/// The body of a call is bytes, or spans in test mode.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Json(Bytes),
    Encoded(Box<Payload>),
    /// The spans of test mode are encoded by nobody.
    #[cfg_attr(
        not(any(test, feature = "testing")),
        expect(dead_code, reason = "read by captures only")
    )]
    Plain(Vec<SpanData>),
}

/// The spans belong to these sessions and named events, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) sessions: Vec<SessionId>,
    pub(super) events: Vec<SessionId>,
}

impl About {
    pub(super) fn sorted(mut self) -> Self {
        for ids in [&mut self.sessions, &mut self.events] {
            ids.sort_unstable();
            ids.dedup();
        }
        self
    }

    /// Returns all sessions and events.
    pub(super) fn ids(&self) -> impl Iterator<Item = SessionId> {
        self.sessions.iter().chain(&self.events).copied()
    }

    /// Returns true for a session or an event that the spans may create.
    pub(super) fn may_create(&self, id: SessionId) -> bool {
        self.is_in(id) || self.events.binary_search(&id).is_ok()
    }

    pub(super) fn is_in(&self, session: SessionId) -> bool {
        self.sessions.binary_search(&session).is_ok()
    }
}

/// The tries of a call are counted, and the next one may have to wait.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tries {
    /// These tries have failed.
    pub(super) failed: u32,
    /// So many of these were not asked to come again later.
    pub(super) unasked: u32,
    /// These tries have found nothing to update.
    pub(super) unknown: u32,
    /// So many other calls had got through when this one first failed.
    pub(super) others_before: Option<u64>,
    pub(super) not_before: Option<Instant>,
}

/// A call waits in memory or on disk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Home {
    Memory,
    /// The call was read back; the record on disk is settled with it.
    Disk(Ticket),
}

impl Home {
    pub(super) const fn is_disk(self) -> bool {
        matches!(self, Self::Disk(_))
    }
}

/// A sealed call has its share of the accounts. Data that came later goes into another call.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) target: Target,
    pub(super) body: Body,
    /// The sessions and events of the spans are `None` where they are unknown.
    pub(super) about: Option<About>,
    pub(super) claim: Claim,
    pub(super) tries: Tries,
    pub(super) home: Home,
    /// The callers of this start get the outcome.
    pub(super) start: Option<Arc<StartRecord>>,
    /// The oldest item of the call has waited since this time.
    pub(super) since: Instant,
}

impl Sealed {
    pub(super) fn new(target: Target, body: Body, claim: Claim, since: Instant) -> Self {
        Self {
            target,
            body,
            about: None,
            claim,
            tries: Tries::default(),
            home: Home::Memory,
            start: None,
            since,
        }
    }

    /// Returns the bytes of memory that the body takes.
    pub(super) fn bytes(&self) -> usize {
        match &self.body {
            Body::Json(bytes) => bytes.len(),
            Body::Encoded(payload) => payload.bytes.len(),
            Body::Plain(_) => 0,
        }
    }
}

/// A call that was too large is made in parts.
#[derive(Debug)]
pub(super) enum Parts {
    /// The call becomes two, each with its number of items.
    Halves([(Body, u64); 2]),
    /// The call stays one, with its texts cut to so many bytes.
    Cut(Body, usize),
}
