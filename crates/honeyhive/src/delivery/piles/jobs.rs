//! [`Jobs`] are the piles that are being sealed.

use std::sync::Arc;

use tokio::time::Instant;

use crate::delivery::claim::Claim;
use crate::delivery::lane::Number;
use crate::delivery::maps::IdMap;
use crate::delivery::sealed::About;
use crate::model::id::SessionId;
use crate::outbox::{Load, StartRecord};

/// A job is a pile that is being sealed, with its share of the accounts.
#[derive(Debug)]
pub(in crate::delivery) struct Job {
    pub(in crate::delivery) of: JobOf,
    pub(in crate::delivery) claim: Claim,
    pub(in crate::delivery) since: Instant,
    /// The flag tells whether the result goes to disk instead of HoneyHive.
    pub(in crate::delivery) to_disk: bool,
}

#[derive(Debug)]
pub(in crate::delivery) enum JobOf {
    Session {
        id: SessionId,
        start: Option<(Arc<StartRecord>, Claim)>,
    },
    Spans(About),
}

/// The jobs are under way.
#[derive(Debug, Default)]
pub(in crate::delivery) struct Jobs {
    jobs: IdMap<Number, Job>,
    numbers: Number,
    /// The jobs whose results go to HoneyHive are counted: sessions', then spans'.
    to_send: [usize; 2],
    /// The sessions among the jobs are known, and whether with a start.
    sessions: IdMap<SessionId, bool>,
}

impl Jobs {
    pub(in crate::delivery) fn add(&mut self, job: Job) -> Number {
        if let JobOf::Session { id, start } = &job.of {
            self.sessions.insert(*id, start.is_some());
        }
        self.to_send[job.kind()] += usize::from(!job.to_disk);
        self.numbers += 1;
        self.jobs.insert(self.numbers, job);
        self.numbers
    }

    pub(in crate::delivery) fn remove(&mut self, number: Number) -> Option<Job> {
        let job = self.jobs.remove(&number)?;
        self.to_send[job.kind()] -= usize::from(!job.to_disk);
        if let JobOf::Session { id, .. } = &job.of {
            self.sessions.remove(id);
        }
        Some(job)
    }

    pub(in crate::delivery) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(in crate::delivery) fn holds(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    pub(in crate::delivery) fn holds_start(&self, id: SessionId) -> bool {
        self.sessions.get(&id) == Some(&true)
    }

    /// Returns true while spans are being sealed that may create this session or event.
    pub(in crate::delivery) fn may_create(&self, id: SessionId) -> bool {
        self.jobs
            .values()
            .any(|job| matches!(&job.of, JobOf::Spans(about) if about.may_create(id)))
    }

    /// Returns the starts that are being sealed.
    pub(in crate::delivery) fn starts(&self) -> impl Iterator<Item = &Arc<StartRecord>> {
        self.jobs.values().filter_map(|job| match &job.of {
            JobOf::Session { start, .. } => start.as_ref().map(|(start, _)| start),
            JobOf::Spans(_) => None,
        })
    }

    /// Returns how many results will go to HoneyHive.
    pub(in crate::delivery) const fn len(&self, is_traces: bool) -> usize {
        self.to_send[is_traces as usize]
    }

    /// Returns how many jobs go to disk, and how much memory that frees.
    pub(in crate::delivery) fn for_disk(&self) -> (usize, Load) {
        let mut load = Load::default();
        let jobs = self.jobs.values().filter(|job| job.to_disk);
        let count = jobs.map(|job| job.add_to(&mut load)).count();
        (count, load)
    }

    /// Returns the claims that are left at the end.
    pub(in crate::delivery) fn into_claims(self) -> impl Iterator<Item = Claim> {
        self.jobs.into_values().flat_map(|job| {
            let start = match job.of {
                JobOf::Session { start, .. } => start.map(|(_, claim)| claim),
                JobOf::Spans(_) => None,
            };
            [Some(job.claim), start].into_iter().flatten()
        })
    }
}

impl Job {
    const fn kind(&self) -> usize {
        matches!(self.of, JobOf::Spans(_)) as usize
    }

    fn add_to(&self, load: &mut Load) {
        load.add(self.claim.load());
        if let JobOf::Session {
            start: Some((_, claim)),
            ..
        } = &self.of
        {
            load.add(claim.load());
        }
    }
}
