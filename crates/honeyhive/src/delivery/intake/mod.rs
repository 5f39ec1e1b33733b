//! The intake finds out whose a record is, and whether its session is in the sample, before it joins a pile.

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

/// The intake judges incoming records and spans by this state.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) transport: SessionTransport,
    pub(super) startup: Arc<StartupSession>,
    pub(super) labels: Labels,
    /// The sampler is there where not everything is sent.
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
