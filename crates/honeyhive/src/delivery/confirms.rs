//! The callers await the answer to a session's start, each until a deadline of its own, so that no caller waits for the
//! end of an outage.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::time::later;
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::outbox::{Reply, StartRecord};

type Outcome = Result<(), StartError>;

#[derive(Debug)]
struct Confirm {
    start: Arc<StartRecord>,
    reply: Reply<Outcome>,
    deadline: Instant,
}

#[derive(Debug)]
pub(crate) struct Confirms {
    waiting: Vec<Confirm>,
    timeout: Duration,
}

impl Confirms {
    /// Makes the list of confirmations, each of which waits for `timeout` at the most.
    pub(crate) const fn new(timeout: Duration) -> Self {
        Self {
            waiting: Vec::new(),
            timeout,
        }
    }

    pub(crate) fn add(&mut self, start: Arc<StartRecord>, reply: Reply<Outcome>, now: Instant) {
        let deadline = later(now, self.timeout);
        self.waiting.push(Confirm {
            start,
            reply,
            deadline,
        });
    }

    /// Answers the callers whose start has its outcome, and those that have waited long enough.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.answer(|confirm| {
            let known = confirm.start.outcome();
            let known = known.map(|outcome| outcome.map_err(StartError::clone));
            known.or_else(|| (now >= confirm.deadline).then(|| unconfirmed("no answer in time")))
        });
    }

    /// Answers the callers of a session whose start HoneyHive did not take.
    pub(crate) fn not_taken(&mut self, id: SessionId, detail: &str) {
        self.answer(|confirm| (confirm.start.id == id).then(|| unconfirmed(detail)));
    }

    /// Answers all callers, since HoneyHive takes nothing for now.
    pub(crate) fn outage(&mut self, detail: &str) {
        self.answer(|_| Some(unconfirmed(detail)));
    }

    fn answer(&mut self, answer: impl Fn(&Confirm) -> Option<Outcome>) {
        let mut index = 0;
        while let Some(confirm) = self.waiting.get(index) {
            match answer(confirm) {
                Some(outcome) => self.waiting.swap_remove(index).reply.send(outcome),
                None => index += 1,
            }
        }
    }
}

fn unconfirmed(detail: &str) -> Outcome {
    Err(StartError::Unconfirmed {
        detail: detail.to_owned(),
    })
}
