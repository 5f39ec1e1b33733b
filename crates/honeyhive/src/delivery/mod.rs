//! Delivery: one background thread, with a runtime and a connection pool of its own, drains the outbox.
//!
//! It merges what belongs to one session, keeps order per session, retries, and accounts for every item.
//! Nothing here runs on a thread of the program's own runtime.

mod changes;
mod confirms;
mod engine;
mod gate;
mod ledger;
mod notices;
mod outgoing;
mod outputs;
mod priority;
mod recent;
mod redactor;
mod sampling;
mod scope;
mod sessions;
mod sink;
mod spans;
mod spooling;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use tokio::time::Instant;

use crate::error::BuildError;
use crate::outbox::Outbox;
use crate::sampling::SessionSampling;
use crate::session::StartupSession;
use crate::settings::{SessionTransport, Settings};
use crate::spool::Spool;
use crate::wire;
#[cfg(feature = "testing")]
pub(crate) use changes::Call;
pub(crate) use changes::Origin;
use engine::Engine;
use ledger::Answered;
pub(crate) use redactor::Redactor;
pub(crate) use sink::Sink;

/// What the delivery thread is told once.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) origin: Origin,
    pub(crate) transport: SessionTransport,
    pub(crate) window: Duration,
    /// How long somebody may wait for the answer to a start.
    pub(crate) patience: Duration,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) sampling: SessionSampling,
    pub(crate) most_items: usize,
    pub(crate) most_bytes: usize,
    pub(crate) sink: Sink,
    /// Where to spool, and for which destination.
    pub(crate) spool: Option<(Spool, u32)>,
}

impl Plan {
    pub(crate) fn new(settings: &Settings, redactor: Arc<Redactor>, sink: Sink) -> Self {
        Self {
            origin: Origin {
                source: settings.source.clone(),
                project: settings.project.clone(),
            },
            transport: settings.session_transport,
            window: settings.coalesce_window,
            patience: settings.api_timeout,
            redactor,
            sampling: settings.sampling,
            most_items: settings.queue_items,
            most_bytes: settings.queue_bytes,
            // In test mode there is nothing to spool: everything is taken at once.
            spool: matches!(sink, Sink::HoneyHive(..))
                .then(|| Some((settings.spool.clone()?, settings.destination())))
                .flatten(),
            sink,
        }
    }
}

/// `then` after `now`, and for a duration beyond the clock's range a time that never comes.
fn later(now: Instant, then: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    now + then.min(NEVER)
}

/// The way to HoneyHive.
pub(crate) fn honeyhive(settings: &Settings, resource: &Resource) -> Result<Sink, BuildError> {
    let (client, encoder) = wire::connect(settings, resource)?;
    Ok(Sink::HoneyHive(Arc::new(client), Arc::new(encoder)))
}

/// Starts the delivery thread. It ends when the outbox is told to stop.
pub(crate) fn start(
    plan: Plan,
    outbox: Arc<Outbox>,
    startup: Arc<StartupSession>,
) -> Result<(), BuildError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| BuildError::DeliveryThread { source })?;
    std::thread::Builder::new()
        .name("honeyhive-delivery".to_owned())
        .spawn(move || {
            priority::give_way();
            // What happens in here is never itself telemetry.
            let _silence = Context::enter_telemetry_suppressed_scope();
            let engine = Engine::new(plan, Arc::clone(&outbox), startup);
            let run = catch_unwind(AssertUnwindSafe(|| runtime.block_on(engine.run())));
            // First what is left is accounted for, then those who wait are told.
            outbox.abandon();
            outbox.part_with_losses();
            if let Ok(answers) = run {
                answers.into_iter().for_each(Answered::send);
            } else {
                tracing::error!(target: "honeyhive", "the delivery thread panicked; nothing more is delivered, please report this");
            }
        })
        .map(drop)
        .map_err(|source| BuildError::DeliveryThread { source })
}
