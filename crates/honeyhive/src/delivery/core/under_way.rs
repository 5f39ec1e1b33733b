//! [`UnderWay`] keeps the sessions whose requests take longer than the coalescing window.

use std::sync::Arc;

use crate::outbox::StartRecord;

/// The number of sessions from which on those that have ended are looked for.
const MANY: usize = 64;

/// The sessions whose requests were under way when their starts were sealed, and maybe still are.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    starts: Vec<Arc<StartRecord>>,
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
            self.starts.retain(|start| start.is_under_way());
            self.most = MANY.max(2 * self.starts.len());
        }
        self.starts.push(Arc::clone(start));
    }

    pub(super) fn into_starts(self) -> Vec<Arc<StartRecord>> {
        self.starts
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
        under_way.starts.retain(|start| start.is_under_way());
        let ids = |starts: &[Arc<StartRecord>]| starts.iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(ids(&under_way.starts), ids(&running));
    }
}
