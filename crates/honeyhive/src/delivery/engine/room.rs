//! What has waited longest is given up where what comes finds no room, if that is what the program wants.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Engine;
use crate::model::id::SessionId;
use crate::outbox::Load;
use crate::report::DropReason;

/// What may be given up next.
enum Oldest {
    Session(SessionId),
    Consignment(usize),
    Span,
}

impl Engine {
    /// Gives up what has waited longest, as far as there is too much. What is under way stays.
    pub(super) fn make_room(&mut self) {
        let Some(mut excess) = self.outbox.excess() else {
            return;
        };
        let mut sessions = VecDeque::from(self.sessions.by_age());
        while excess.items > 0 || excess.bytes > 0 {
            let Some(oldest) = self.oldest(sessions.front()) else {
                return;
            };
            let given_up = match oldest {
                Oldest::Session(id) => {
                    sessions.pop_front();
                    self.evict_session(id)
                }
                Oldest::Consignment(index) => {
                    let tally = self.consignments.remove(index).tally;
                    self.ledger.dropped(tally, DropReason::QueueFull);
                    tally.load()
                }
                Oldest::Span => self.evict_span(),
            };
            excess.items = excess.items.saturating_sub(given_up.items);
            excess.bytes = excess.bytes.saturating_sub(given_up.bytes);
        }
    }

    fn evict_span(&mut self) -> Load {
        let Some(tally) = self.spans.evict() else {
            return Load::default();
        };
        self.ledger.dropped(tally, DropReason::QueueFull);
        tally.load()
    }

    /// Its spans may still come: they create it.
    fn evict_session(&mut self, id: SessionId) -> Load {
        let mut given_up = Load::default();
        let ledger = &mut self.ledger;
        let starts = self.sessions.evict(id, |tally| {
            ledger.dropped(tally, DropReason::QueueFull);
            given_up.add(tally.load());
        });
        for start in starts {
            self.spans.unstarted(&start);
        }
        given_up
    }

    fn oldest(&self, session: Option<&(Instant, SessionId)>) -> Option<Oldest> {
        let session = session.map(|(since, id)| (*since, Oldest::Session(*id)));
        let consignments = self.consignments.iter().enumerate();
        let consignment = consignments.map(|(index, it)| (it.since, Oldest::Consignment(index)));
        let span = self.spans.oldest().map(|since| (since, Oldest::Span));
        let all = session.into_iter().chain(consignment).chain(span);
        all.min_by_key(|(since, _)| *since)
            .map(|(_, oldest)| oldest)
    }
}
