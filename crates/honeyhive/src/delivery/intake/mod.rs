//! The intake of records, before they join a pile: whose they are, and whether their session is in the sample.

mod labels;
mod sample;

use std::sync::Arc;

use self::labels::Labels;
pub(super) use self::labels::session_of;
use self::sample::Sampler;
pub(super) use self::sample::{Held, Hint};
use super::claim::Claim;
use super::plan::Plan;
use crate::session::StartupSession;
use crate::settings::SessionTransport;

/// The state by which incoming records and spans are judged.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) transport: SessionTransport,
    /// The tracer's own session.
    pub(super) startup: Arc<StartupSession>,
    pub(super) labels: Labels,
    /// The sampler, where not everything is sent.
    pub(super) sampler: Option<Sampler>,
}

impl Intake {
    pub(super) fn new(plan: &Plan, startup: Arc<StartupSession>) -> Self {
        Self {
            transport: plan.transport,
            startup,
            labels: Labels::new(),
            sampler: Sampler::new(plan.sampling, plan.most_items, plan.most_bytes),
        }
    }

    /// Returns the claims that are left at the end.
    pub(super) fn into_claims(self) -> impl Iterator<Item = Claim> {
        self.sampler.into_iter().flat_map(Sampler::into_claims)
    }
}
