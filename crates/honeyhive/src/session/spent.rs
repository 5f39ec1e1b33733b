//! The usage of a session is counted where its tracer has a budget.

use super::handle::Session;
use crate::budget::{BudgetPassed, Counters, SessionUsage};
use crate::model::id::SessionId;
use crate::outbox::Outbox;
use crate::panics::guarded;

impl Session {
    /// Returns the session's usage so far, in this process; `None` where the tracer has no
    /// [`SessionBudget`](crate::SessionBudget).
    ///
    /// ```
    /// use honeyhive::{SessionBudget, testing};
    ///
    /// let budget = SessionBudget::new();
    /// let (tracer, _captured) = testing::tracer_with(|builder| builder.session_budget(budget));
    /// let session = tracer.create_session("agent");
    /// session.in_scope(|| drop(tracer.model("answer").start()));
    /// assert_eq!(session.usage().map(|it| it.model_calls), Some(1));
    /// ```
    #[must_use]
    pub fn usage(&self) -> Option<SessionUsage> {
        Some(self.outbox.counters()?.of(self.id()))
    }

    /// Counts a unit of work that begins or continues the session.
    #[inline]
    pub(crate) fn turn_begins(&self) {
        count(&self.outbox, |counters| {
            counters.add(Some(self.id()), &SessionUsage::TURN)
        });
    }

    /// Makes the session its tracer's own from now on.
    pub(super) fn becomes_own(&self) {
        count(&self.outbox, |counters| counters.own_is(self.id()));
        self.turn_begins();
    }

    pub(super) fn usage_moves(&self, from: SessionId, to: SessionId) {
        count(&self.outbox, |counters| counters.moved(from, to));
    }
}

/// Counts usage where the tracer has a budget, and reports the limits that it passes by that.
#[inline]
pub(crate) fn count(outbox: &Outbox, add: impl FnOnce(&Counters) -> Vec<BudgetPassed>) {
    if let Some(counters) = outbox.counters() {
        for passed in add(counters) {
            guarded(outbox, || counters.tell(&passed));
        }
    }
}
