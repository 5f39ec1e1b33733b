//! Room for new items is made by dropping the oldest ones when memory is full, if the program wants that.

use tokio::time::Instant;

use super::state::Core;
use crate::delivery::lane::Number;
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::outbox::Load;
use crate::report::DropReason;

/// The oldest of these is dropped next.
enum Oldest {
    Session(SessionId),
    Call(Number),
    Span,
}

impl Core {
    /// Drops the oldest items, as far as there are too many. Calls under way stay, and all items stay while the disk
    /// takes them.
    pub(super) fn make_room(&mut self, now: Instant) {
        if self.is_relieving(now) {
            return;
        }
        let Some(mut excess) = self.outbox.excess() else {
            return;
        };
        while excess.items > 0 || excess.bytes > 0 {
            let Some(oldest) = self.oldest() else {
                return;
            };
            let given_up = match oldest {
                Oldest::Session(id) => self.evict_session(id),
                Oldest::Call(number) => self.evict_call(number, now),
                Oldest::Span => self.evict_span(),
            };
            excess.items = excess.items.saturating_sub(given_up.items);
            excess.bytes = excess.bytes.saturating_sub(given_up.bytes);
        }
    }

    fn oldest(&self) -> Option<Oldest> {
        let session = self.piles.sessions.oldest();
        let session = session.map(|(since, id)| (since, Oldest::Session(id)));
        let call = self.lane.oldest();
        let call = call.map(|(since, number)| (since, Oldest::Call(number)));
        let span = self.piles.spans.oldest().map(|since| (since, Oldest::Span));
        let all = session.into_iter().chain(call).chain(span);
        all.min_by_key(|(since, _)| *since)
            .map(|(_, oldest)| oldest)
    }

    /// Gives a session's items up. Its spans may still come, and create it.
    fn evict_session(&mut self, id: SessionId) -> Load {
        let reason = DropReason::QueueFull;
        let (starts, claim) = self.piles.sessions.give_up(id);
        let mut given_up = claim.load();
        self.ledger.dropped(claim, reason);
        for (start, claim) in starts {
            given_up.add(claim.load());
            self.ledger.dropped(claim, reason);
            start.settle(Err(StartError::Dropped { reason }));
            self.intake.labels.unstarted(&start);
        }
        self.release_spans(id);
        given_up
    }

    fn evict_call(&mut self, number: Number, now: Instant) -> Load {
        let load = self.lane.get(number).map(|call| call.claim.load());
        let reason = DropReason::QueueFull;
        self.give_up(number, reason, StartError::Dropped { reason }, now);
        load.unwrap_or_default()
    }

    fn evict_span(&mut self) -> Load {
        let Some(waiting) = self.piles.spans.evict() else {
            return Load::default();
        };
        let load = waiting.claim.load();
        for id in [waiting.session, waiting.event()].into_iter().flatten() {
            self.piles.sessions.unblock(id);
        }
        self.ledger.dropped(waiting.claim, DropReason::QueueFull);
        load
    }
}
