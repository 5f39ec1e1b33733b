//! A session may go on under another id.

use tokio::time::Instant;

use super::state::Core;
use crate::enrichment::Enrichment;
use crate::model::id::SessionId;
use crate::outbox::{Load, StartRecord, Update};

impl Core {
    pub(super) fn moved(&mut self, start: &StartRecord, to: SessionId, now: Instant) {
        if start.is_fresh {
            self.intake.labels.moved(start, to);
            let place = self.place_of(to);
            self.piles.spans.move_all(start.id, to, place);
        } else if start.was_withdrawn() {
            // The id may be known to others, whose recordings under it stay there.
            self.intake.labels.unstarted(start);
        }
        if start.was_withdrawn() {
            self.move_held(start, to, now);
            self.withdraw(start, to, now);
        } else if !start.is_linked() {
            self.note_move(start.id, to, now);
        }
    }

    /// Takes back a start that was not sent, and gives its data to the new id, as far as an update can carry them; and
    /// all other open data, where nobody else can know the first id.
    fn withdraw(&mut self, start: &StartRecord, to: SessionId, now: Instant) {
        start.settle(Ok(()));
        let id = start.id;
        let takes_all = start.is_fresh && !self.lane.holds(id) && !self.piles.jobs.holds(id);
        if let Some((own, mut updates, claim)) = self.piles.sessions.withdraw(start, takes_all) {
            let began_with = start.began_with();
            if own.items() > 0 && !began_with.is_empty() {
                updates.insert(0, Update::Enrich(Box::new(began_with)));
            }
            let claim = self.ledger.merge(own, claim);
            if updates.is_empty() {
                self.ledger.withdrawn(claim);
            } else {
                self.update(to, updates, start.timing(), claim, now);
            }
        }
        self.release_spans(id);
    }

    /// Notes on a session that was created and then left where its conversation goes on.
    fn note_move(&mut self, from: SessionId, to: SessionId, now: Instant) {
        let note = Enrichment::new().metadata(serde_json::json!({ "moved_to": to }));
        let load = Load::one(note.bytes());
        self.outbox.accept_late(load);
        let claim = self.ledger.accept(load);
        let updates = vec![Update::Enrich(Box::new(note))];
        self.piles
            .sessions
            .add_updates(from, updates, claim, &mut self.ledger, now);
    }
}
