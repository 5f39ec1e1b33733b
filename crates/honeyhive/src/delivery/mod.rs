//! The delivery thread drains the outbox in the background, with a runtime and a connection pool of its own.
//!
//! ```text
//! outbox ─► intake ─► piles ─seal─► lane ─► gate ─► wire
//!           relabel    what is open   sealed calls,   width,      │
//!           sample     of a session   in memory or    outage,     ▼
//!                      and of spans   on disk         probe    answer ─► judge ─► settle | again | smaller | await | drop
//! ```
//!
//! - [`core`] decides and does no I/O; [`driver`] does what it says, and decides nothing.
//! - [`seal`] and [`disk`] are threads of their own: no deadline waits for a hook of the program or for a file.
//! - [`verdict`] says what becomes of a call, [`lane`] what goes before what, [`ledger`] who waits for what.
//!
//! Nothing here runs on a thread of the program's own runtime.

#[cfg(feature = "client")]
mod asks;
#[cfg(feature = "testing")]
pub(crate) mod capture;
mod changes;
mod claim;
mod confirms;
mod core;
mod counted;
mod disk;
mod driver;
mod gate;
mod insertion_order;
mod intake;
mod lane;
mod ledger;
mod maps;
mod notices;
mod outgoing;
mod outputs;
mod piles;
mod plan;
mod priority;
mod recent;
mod redactor;
mod routes;
mod scope;
mod seal;
mod sealed;
mod sink;
#[cfg(feature = "client")]
pub(crate) mod test_runs;
mod time;
mod verdict;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;

#[cfg(feature = "client")]
pub(crate) use self::asks::LONGEST as LONGEST_ASKING;
use self::driver::Driver;
use self::ledger::Answered;
pub(crate) use self::plan::Plan;
pub(crate) use self::redactor::Redactor;
pub(crate) use self::sink::Sink;
use crate::error::BuildError;
use crate::log;
use crate::outbox::{Outbox, wait};
use crate::session::StartupSession;
use crate::settings::Settings;
use crate::wire;

/// Returns the sink by the settings: HoneyHive, or memory in test mode.
pub(crate) fn sink(settings: &Settings, resource: &Resource) -> Result<Sink, BuildError> {
    if settings.test_mode {
        return Ok(Sink::Nowhere);
    }
    let (client, encoder) = wire::connect(settings, resource)?;
    Ok(Sink::HoneyHive(Arc::new(client), Arc::new(encoder)))
}

/// Starts the delivery thread. It ends when the outbox is told to stop.
pub(crate) fn start(
    plan: Plan,
    outbox: Arc<Outbox>,
    startup: Arc<StartupSession>,
) -> Result<(), BuildError> {
    let driver = Driver::new(plan, Arc::clone(&outbox), startup)
        .map_err(|source| BuildError::DeliveryThread { source })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| BuildError::DeliveryThread { source })?;
    std::thread::Builder::new()
        .name("honeyhive-delivery".to_owned())
        .spawn(move || {
            priority::give_way();
            wait::enter_delivery();
            // Spans that the HTTP client makes in this thread are suppressed, so that deliveries make no telemetry of
            // their own.
            let _silence = Context::enter_telemetry_suppressed_scope();
            let run = catch_unwind(AssertUnwindSafe(|| runtime.block_on(driver.run())));
            // A call may block a thread of the runtime, and is not waited for.
            runtime.shutdown_background();
            // The rest is accounted for before waiting callers get their answers.
            outbox.abandon();
            if run.is_err() {
                log::error(
                    "the delivery thread panicked; nothing more is delivered, please report this",
                );
            }
            outbox.part_with_losses();
            outbox.part_with_nothing();
            if let Ok(answers) = run {
                answers.into_iter().for_each(Answered::send);
            }
        })
        .map(drop)
        .map_err(|source| BuildError::DeliveryThread { source })
}
