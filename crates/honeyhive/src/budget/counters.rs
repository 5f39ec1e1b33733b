//! [`Counters`] add up the usage of each session of a tracer, in bounded memory.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{BudgetLimit, BudgetPassed, SessionBudget, SessionUsage};
use crate::model::id::SessionId;

/// The counters hold the usage of each session, for a budget.
#[derive(Debug)]
pub(crate) struct Counters {
    budget: SessionBudget,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// The recent sessions take half of the room at the most; then they take the place of the older ones.
    recent: HashMap<SessionId, Entry>,
    older: HashMap<SessionId, Entry>,
    /// The tracer's own session is known once it has begun.
    own: Option<SessionId>,
    /// The usage of the tracer's own session gathers here before that begins.
    before_own: SessionUsage,
}

#[derive(Debug, Default)]
struct Entry {
    usage: SessionUsage,
    /// The program has been notified of these limits.
    passed: u8,
    /// The session goes on under this id.
    moved_to: Option<SessionId>,
}

impl Counters {
    pub(crate) fn new(budget: SessionBudget) -> Self {
        Self {
            budget,
            table: Mutex::default(),
        }
    }

    /// Adds usage to a session, or to the tracer's own; returns the limits that it passes by that.
    pub(crate) fn add(&self, session: Option<SessionId>, used: &SessionUsage) -> Vec<BudgetPassed> {
        let mut table = self.lock();
        let Some(id) = session.or(table.own) else {
            table.before_own.add(used);
            return Vec::new();
        };
        let half = self.half();
        let moved_to = table.entry(id, half).moved_to;
        let id = moved_to.unwrap_or(id);
        let entry = table.entry(id, half);
        entry.usage.add(used);
        self.newly_passed(id, entry)
    }

    /// Makes a session the tracer's own, which gets the usage of spans without a session so far.
    pub(crate) fn own_is(&self, id: SessionId) -> Vec<BudgetPassed> {
        let before = {
            let mut table = self.lock();
            table.own = Some(id);
            mem::take(&mut table.before_own)
        };
        self.add(Some(id), &before)
    }

    /// Moves the usage of a session to another id.
    pub(crate) fn moved(&self, from: SessionId, to: SessionId) -> Vec<BudgetPassed> {
        let used = {
            let mut table = self.lock();
            let entry = table.entry(from, self.half());
            entry.moved_to = Some(to);
            mem::take(&mut entry.usage)
        };
        self.add(Some(to), &used)
    }

    /// Returns the usage of a session, zero for one that is forgotten.
    pub(crate) fn of(&self, id: SessionId) -> SessionUsage {
        let table = self.lock();
        table
            .get(id)
            .map_or_else(SessionUsage::default, |it| it.usage)
    }

    /// Calls the program's hook; no lock is held.
    pub(crate) fn tell(&self, passed: &BudgetPassed) {
        if let Some(hook) = &self.budget.hook {
            hook(passed);
        }
    }

    fn newly_passed(&self, session: SessionId, entry: &mut Entry) -> Vec<BudgetPassed> {
        let mut newly = Vec::new();
        for limit in BudgetLimit::ALL {
            let is_new = entry.passed & limit.bit() == 0;
            if is_new && self.budget.limits.are_passed(limit, &entry.usage) {
                entry.passed |= limit.bit();
                newly.push(BudgetPassed {
                    session,
                    limit,
                    usage: entry.usage,
                });
            }
        }
        newly
    }

    fn half(&self) -> usize {
        self.budget.sessions.div_ceil(2).max(1)
    }

    /// Locks the table; the lock is never held while code of the program runs.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn get(&self, id: SessionId) -> Option<&Entry> {
        self.recent.get(&id).or_else(|| self.older.get(&id))
    }

    fn entry(&mut self, id: SessionId, half: usize) -> &mut Entry {
        if !self.recent.contains_key(&id) {
            let entry = self.older.remove(&id).unwrap_or_default();
            if self.recent.len() >= half {
                self.older = mem::take(&mut self.recent);
            }
            self.recent.insert(id, entry);
        }
        self.recent.entry(id).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> SessionId {
        SessionId::from_u128(number + 1)
    }

    fn tokens(tokens: u64) -> SessionUsage {
        SessionUsage {
            tokens,
            ..SessionUsage::default()
        }
    }

    #[test]
    fn a_limit_is_passed_once_and_not_reached() {
        let counters = Counters::new(SessionBudget::new().tokens(10));
        assert_eq!(counters.add(Some(id(0)), &tokens(10)), []);
        let passed = counters.add(Some(id(0)), &tokens(1));
        assert_eq!((passed.len(), passed[0].usage.tokens), (1, 11));
        assert_eq!(counters.add(Some(id(0)), &tokens(1)), []);
        assert_eq!(counters.of(id(0)).tokens, 12);
    }

    #[test]
    fn so_many_sessions_are_remembered_and_the_one_in_use_is_among_them() {
        let counters = Counters::new(SessionBudget::new().sessions(10));
        for number in 0..1_000 {
            let _ = counters.add(Some(id(number)), &tokens(1));
            let _ = counters.add(Some(id(1_000_000)), &tokens(1));
        }
        let table = counters.lock();
        assert!(table.recent.len() + table.older.len() <= 10);
        drop(table);
        assert_eq!(counters.of(id(1_000_000)).tokens, 1_000);
        assert_eq!(counters.of(id(0)), SessionUsage::default());
    }

    #[test]
    fn a_session_that_moves_takes_along_what_it_has_used_and_what_comes_late() {
        let counters = Counters::new(SessionBudget::new().tokens(2));
        let _ = counters.add(Some(id(7)), &tokens(1));
        let _ = counters.add(Some(id(0)), &tokens(1));
        assert_eq!(counters.moved(id(0), id(7)), []);
        assert_eq!(counters.add(Some(id(0)), &tokens(1)).len(), 1);
        assert_eq!(counters.of(id(7)).tokens, 3);
    }

    #[test]
    fn what_no_session_was_current_for_is_the_tracers_own() {
        let counters = Counters::new(SessionBudget::new());
        let _ = counters.add(None, &tokens(1));
        let _ = counters.own_is(id(0));
        let _ = counters.add(None, &tokens(2));
        assert_eq!(counters.of(id(0)).tokens, 3);
    }
}
