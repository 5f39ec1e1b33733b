//! [`Plan`] holds the settings of delivery.

use std::sync::Arc;
use std::time::Duration;

use super::redactor::Redactor;
use super::sink::Sink;
use super::time::SPAN_DELAY;
use crate::sampling::SessionSampling;
use crate::settings::{SessionTransport, Settings};
use crate::spool::Spool;

/// The plan sets the delivery thread up.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The log names HoneyHive by this address.
    pub(super) url: Arc<str>,
    pub(super) origin: Origin,
    pub(super) transport: SessionTransport,
    /// The data of a session is held back for this time.
    pub(super) window: Duration,
    /// A caller waits this long at the most for the answer to a start.
    pub(super) answer_timeout: Duration,
    pub(super) redactor: Arc<Redactor>,
    pub(super) sampling: SessionSampling,
    pub(super) most_items: usize,
    pub(super) most_bytes: usize,
    pub(super) sink: Sink,
    pub(super) captures_content: bool,
    /// The spool comes with the number of the destination.
    pub(super) spool: Option<(Spool, u32)>,
}

/// The origin is the part of a session's body that comes from the tracer.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) source: Arc<str>,
    pub(super) project: Option<Arc<str>>,
}

impl Plan {
    pub(crate) fn new(settings: &Settings, redactor: Arc<Redactor>, sink: Sink) -> Self {
        Self {
            url: settings.server_url.as_str().into(),
            origin: Origin {
                source: settings.source.as_str().into(),
                project: settings.project.as_deref().map(Into::into),
            },
            transport: settings.session_transport,
            window: window(settings),
            answer_timeout: settings.api_timeout,
            redactor,
            sampling: settings.sampling,
            most_items: settings.queue_items,
            most_bytes: settings.queue_bytes,
            // Test mode takes everything at once, so nothing is spooled.
            spool: (!sink.is_local())
                .then(|| Some((settings.spool.clone()?, settings.destination())))
                .flatten(),
            sink,
            captures_content: settings.captures_content,
        }
    }
}

fn window(settings: &Settings) -> Duration {
    match settings.session_transport {
        SessionTransport::Rest => settings.coalesce_window,
        // A session's update waits until its spans have had time to create it.
        SessionTransport::Otlp => settings.coalesce_window.saturating_add(2 * SPAN_DELAY),
    }
}
