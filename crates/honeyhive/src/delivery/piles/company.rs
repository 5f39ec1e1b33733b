//! [`Company`] decides how long free spans wait for others that are still held by the starts of their sessions.

use std::time::Duration;

use tokio::time::Instant;

use crate::delivery::time::SPAN_DELAY;

/// Spans that a flush waits for wait this long after the last one that became free.
const PATIENCE: Duration = SPAN_DELAY;
/// Other spans wait this long after the first one that became free.
const GATHERED: Duration = Duration::from_millis(500);

/// The times are those at which starts have freed the spans that wait for a batch.
#[derive(Debug, Default)]
pub(super) struct Company {
    /// The first span since the last batch came at this time.
    first: Option<Instant>,
    /// The last span that a flush waits for came at this time.
    last_urgent: Option<Instant>,
}

impl Company {
    /// Notes that spans have been let go.
    pub(super) fn came(&mut self, is_urgent: bool, now: Instant) {
        self.first.get_or_insert(now);
        if is_urgent {
            self.last_urgent = Some(now);
        }
    }

    /// Notes that a batch was taken.
    pub(super) const fn left(&mut self) {
        self.first = None;
    }

    /// Returns true while more spans of a flush may come soon: each of them makes the wait longer, and other spans do
    /// not.
    pub(super) fn more_urgent_may_come(&self, now: Instant) -> bool {
        self.last_urgent.is_some_and(|last| now < last + PATIENCE)
    }

    /// Returns true while more spans may come soon.
    pub(super) fn more_may_come(&self, now: Instant) -> bool {
        self.first.is_some_and(|first| now < first + GATHERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_span_of_a_flush_makes_the_wait_longer_and_no_other_does() {
        let (begin, mut company) = (Instant::now(), Company::default());
        let at = |share: f64| begin + PATIENCE.mul_f64(share);
        assert!(!company.more_urgent_may_come(begin));
        company.came(true, begin);
        assert!(company.more_urgent_may_come(at(0.9)));
        company.came(true, at(0.9));
        assert!(company.more_urgent_may_come(at(1.8)));
        company.came(false, at(1.8));
        assert!(!company.more_urgent_may_come(at(1.9)));
    }

    #[test]
    fn without_a_flush_the_first_that_came_waits_no_longer_however_many_come() {
        let (begin, mut company) = (Instant::now(), Company::default());
        let at = |share: f64| begin + GATHERED.mul_f64(share);
        assert!(!company.more_may_come(begin));
        company.came(false, begin);
        company.came(true, at(0.9));
        assert!(company.more_may_come(at(0.9)));
        assert!(!company.more_may_come(at(1.0)));
        company.left();
        company.came(false, at(1.1));
        assert!(company.more_may_come(at(2.0)));
    }
}
