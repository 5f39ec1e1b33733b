//! The open piles are the data of sessions, and waiting spans; jobs seal them.

mod company;
mod jobs;
mod patience;
mod pile;
mod schedule;
mod sessions;
mod spans;
mod waiting;

use self::jobs::Jobs;
pub(super) use self::jobs::{Job, JobOf};
pub(super) use self::patience::Patience;
use self::sessions::Sessions;
use self::spans::Spans;
pub(super) use self::waiting::{Batch, Place, Waiting, event_of};
use super::claim::Claim;
use super::plan::Plan;

/// The piles are all items that no call holds yet.
#[derive(Debug)]
pub(super) struct Piles {
    pub(super) sessions: Sessions,
    pub(super) spans: Spans,
    /// The jobs seal piles.
    pub(super) jobs: Jobs,
}

impl Piles {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            sessions: Sessions::new(plan.window),
            spans: Spans::default(),
            jobs: Jobs::default(),
        }
    }

    /// Returns the claims that are left at the end.
    pub(super) fn into_claims(self) -> impl Iterator<Item = Claim> {
        let open = self.sessions.into_claims().chain(self.spans.into_claims());
        open.chain(self.jobs.into_claims())
    }
}
