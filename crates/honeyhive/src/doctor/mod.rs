//! [`doctor()`] diagnoses a tracer from which nothing arrives.

mod asking;
mod diagnosis;
mod keys;
mod lab;
mod network;
mod probe;
mod questions;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

pub use diagnosis::{Answered, Check, CheckOutcome, Diagnosis};

pub use crate::settings::{FoundSetting, SettingOrigin};
use crate::tracer::HoneyHiveTracer;
use asking::Asker;

/// Checks a tracer and its way to HoneyHive: settings and their origins (never a key), name resolution, TCP, the TLS
/// chain, a proxy, the clock, the keys and the routes that accept them, and the items that delivery has dropped so far.
///
/// Awaiting it makes a few calls that write nothing. With [`probe`](Doctor::probe) it also makes a small session with
/// one span and checks whether they arrive together. It runs on any runtime, and ends within a minute or so, whatever
/// HoneyHive does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = honeyhive_local::LocalServer::builder().start().await?;
/// # let tracer = honeyhive::HoneyHiveTracer::builder().api_key("hh_local").server_url(server.url()).build()?;
/// let diagnosis = honeyhive::doctor(&tracer).probe(true).await;
/// println!("{diagnosis}");
/// assert!(diagnosis.is_healthy());
/// assert!(diagnosis.session_id.is_some());
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is looked at until it is awaited"]
pub fn doctor(tracer: &HoneyHiveTracer) -> Doctor {
    Doctor {
        tracer: tracer.clone(),
        probes: false,
    }
}

/// The doctor is a diagnosis that is not run yet, from [`doctor()`].
#[must_use = "nothing is looked at until it is awaited"]
pub struct Doctor {
    tracer: HoneyHiveTracer,
    probes: bool,
}

impl Doctor {
    /// Sets whether something is written: a session named `honeyhive doctor` with one span, whose id is in the
    /// diagnosis, and a dozen more of that name, which answer questions that no document of HoneyHive does
    /// ([`Diagnosis::answers`]). Default: no.
    pub const fn probe(mut self, on: bool) -> Self {
        self.probes = on;
        self
    }

    async fn look(self) -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        let Some(about) = self.tracer.about() else {
            diagnosis.fail(
                "tracer",
                "it is disabled and records nothing: `HoneyHiveTracer::from_env()` says why",
            );
            return diagnosis;
        };
        diagnosis.settings.clone_from(&about.settings);
        if about.is_local {
            diagnosis.warn(
                "tracer",
                "it is in test mode, and nothing leaves the process: unset HH_TEST_MODE",
            );
            return diagnosis;
        }
        self.dropped(&mut diagnosis);
        if about.sends_no_share {
            diagnosis.warn(
                "sampling",
                "the share of sessions that are sent is 0: none is, or only those that fail or are slow (HH_SESSION_SAMPLE_RATE above)",
            );
        }
        if about.has_given_client {
            diagnosis.skip(
                "network",
                "the program has given an HTTP client of its own, whose way is not known",
            );
        } else if !network::check(&mut diagnosis, &about.server_url).await {
            return diagnosis;
        }
        let asker = Asker::new(&self.tracer, about.writes_with);
        if !keys::check(&mut diagnosis, &asker, &about.server_url).await {
            return diagnosis;
        }
        if self.probes && diagnosis.is_healthy() {
            probe::check(&mut diagnosis, &self.tracer, &asker).await;
            diagnosis.answers = questions::answered(&asker).await;
        }
        diagnosis
    }

    /// Checks whether the tracer has dropped anything so far.
    fn dropped(&self, diagnosis: &mut Diagnosis) {
        let stats = self.tracer.stats();
        let (delivered, pending) = (stats.delivered, stats.pending);
        match stats.dropped.total() {
            0 => diagnosis.pass(
                "delivery",
                format!("{delivered} delivered, {pending} pending, none dropped"),
            ),
            dropped => diagnosis.warn(
                "delivery",
                format!("{dropped} were dropped: {}", stats.dropped.reasons()),
            ),
        }
    }
}

impl IntoFuture for Doctor {
    type Output = Diagnosis;
    type IntoFuture = Pin<Box<dyn Future<Output = Diagnosis> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.look())
    }
}

impl fmt::Debug for Doctor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Doctor")
            .field("probes", &self.probes)
            .finish_non_exhaustive()
    }
}
