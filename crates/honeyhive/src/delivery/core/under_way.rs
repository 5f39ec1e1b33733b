//! [`UnderWay`] keeps the sessions whose requests take longer than the coalescing window.

use std::sync::{Arc, Weak};

use crate::outbox::StartRecord;

/// The list is not tidied up before it has this length.
const MANY: usize = 64;

/// `UnderWay` lists the sessions whose requests were under way when their starts were sealed, and maybe still are.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    /// A request under way keeps the start of its session alive. Those that have ended free theirs at once.
    starts: Vec<Weak<StartRecord>>,
    /// The requests have ended since the outbox was closed, so their ends were refused.
    refused: Vec<Arc<StartRecord>>,
    /// The length that the list has before it is tidied up.
    most: usize,
}

impl UnderWay {
    /// Notes a session, if its request is under way: that of a short request ends before its start is sealed.
    pub(super) fn note(&mut self, start: &Arc<StartRecord>) {
        if !start.is_under_way() {
            return;
        }
        if self.starts.len() >= self.most {
            let is_under_way =
                |it: &Weak<StartRecord>| it.upgrade().is_some_and(|it| it.is_under_way());
            self.starts.retain(is_under_way);
            self.most = MANY.max(2 * self.starts.len());
        }
        self.starts.push(Arc::downgrade(start));
    }

    /// Keeps the session of a request whose end was refused, until the server cuts it off.
    pub(super) fn keep(&mut self, start: Arc<StartRecord>) {
        self.refused.push(start);
    }

    pub(super) fn into_starts(self) -> Vec<Arc<StartRecord>> {
        let mut starts = self.refused;
        starts.extend(self.starts.iter().filter_map(Weak::upgrade));
        starts
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::model::id::SessionId;
    use crate::model::object::Object;
    use crate::outbox::Inputs;

    fn request() -> Arc<StartRecord> {
        let inputs = Inputs::Object(Object::new());
        let mut start =
            StartRecord::new(SessionId::new(), "chat".into(), inputs, SystemTime::now());
        start.will_end = true;
        Arc::new(start)
    }

    #[test]
    fn requests_that_have_ended_are_forgotten_and_others_are_kept() {
        let mut under_way = UnderWay::default();
        let running: Vec<_> = (0..100).map(|_| request()).collect();
        for start in &running {
            under_way.note(start);
            for _ in 0..100 {
                let short = request();
                under_way.note(&short);
                short.set_ended();
            }
        }
        assert!(under_way.starts.len() <= 2 * running.len());
        let mut left = under_way.into_starts();
        left.retain(|start| start.is_under_way());
        let ids = |starts: &[Arc<StartRecord>]| starts.iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(ids(&left), ids(&running));
    }

    #[test]
    fn the_start_of_a_request_that_has_ended_takes_no_memory() {
        let mut under_way = UnderWay::default();
        let start = request();
        under_way.note(&start);
        let left = Arc::downgrade(&start);
        start.set_ended();
        drop(start);
        assert!(left.upgrade().is_none());
    }
}
