//! The gates of retries are two, one for REST and one for spans: an outage is met by one probe at a time and a recovery
//! by no stampede, while a single failure stops no other call.

use std::time::Duration;

use tokio::time::Instant;

use crate::wire::Retry;

/// The first retry comes within this time.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// An outage is probed after this pause at the latest. One call costs nobody much, and items that wait meanwhile may
/// fill the queue.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A row of this many failures, with no success between them, is an outage and not a coincidence.
const OUTAGE: u32 = 5;
/// A longer `Retry-After` is cut to this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// Calls pause for this time after HoneyHive has refused the key.
const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(5);

/// A gate widens each time that calls have waited at it for so long without a pause.
const SHORT_FOR: Duration = Duration::from_secs(5);
/// A gate widens by so many calls.
const WIDER_BY: usize = 8;

#[derive(Debug)]
pub(crate) struct Gate {
    narrowest: usize,
    widest: usize,
    width: usize,
    /// Calls have waited since then, and the gate has stayed open.
    short_since: Option<Instant>,
    failures: u32,
    not_before: Option<Instant>,
    outage_since: Option<Instant>,
    /// The server has asked for a pause until then.
    asked_until: Option<Instant>,
    /// The counter has the successes since the width last changed.
    got_through: usize,
    unauthorized_until: Option<Instant>,
    successes: u64,
    failed_calls: u64,
}

/// A success may end an outage, or the refusal of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) outage: bool,
    pub(crate) refusal: bool,
}

impl Gate {
    /// Makes a gate that lets this many calls through at a time while all is well, and up to the widest where that is too few.
    pub(crate) const fn new(narrowest: usize, widest: usize) -> Self {
        Self {
            narrowest,
            widest,
            width: narrowest,
            short_since: None,
            failures: 0,
            not_before: None,
            outage_since: None,
            asked_until: None,
            got_through: 0,
            unauthorized_until: None,
            successes: 0,
            failed_calls: 0,
        }
    }

    /// Returns how many calls may be under way now: none while the gate is closed, then one as a probe, and all again
    /// once that has got through.
    pub(crate) fn width(&self, now: Instant) -> usize {
        match self.not_before {
            Some(then) if now < then => 0,
            Some(_) => 1,
            None => self.width,
        }
    }

    /// Notes whether calls wait that an open gate has no room for. Answers that take long need more calls at a time: sixteen
    /// that take 200 ms each are 80 a second, however many sessions begin.
    pub(crate) fn note_shortage(&mut self, is_short: bool, now: Instant) {
        let is_limited = self.width < self.narrowest;
        if !is_short || is_limited || self.is_outage() {
            self.short_since = None;
            return;
        }
        let since = *self.short_since.get_or_insert(now);
        if now.duration_since(since) >= SHORT_FOR {
            self.width = (self.width + WIDER_BY).min(self.widest);
            self.short_since = Some(now);
        }
    }

    /// Returns true from when an outage began until a call has got through.
    pub(crate) const fn is_outage(&self) -> bool {
        self.not_before.is_some()
    }

    /// Returns true while an outage is at least as old as this.
    pub(crate) fn is_outage_of(&self, age: Duration, now: Instant) -> bool {
        let since = self.outage_since.filter(|_| self.is_outage());
        since.is_some_and(|since| now.duration_since(since) >= age)
    }

    /// Returns true while the key is known to be refused: a call would only be refused again.
    pub(crate) fn is_unauthorized(&self, now: Instant) -> bool {
        self.unauthorized_until.is_some_and(|until| now < until)
    }

    pub(crate) fn refused_the_key(&mut self, now: Instant) {
        self.unauthorized_until = Some(now + UNAUTHORIZED_PAUSE);
    }

    pub(crate) const fn successes(&self) -> u64 {
        self.successes
    }

    /// Returns the number of failed calls so far.
    pub(crate) const fn failed_calls(&self) -> u64 {
        self.failed_calls
    }

    /// Notes a success, and returns what it ends.
    pub(crate) fn succeeded(&mut self, now: Instant) -> Ended {
        self.failures = 0;
        self.successes += 1;
        self.regain();
        let refusal = self.unauthorized_until.take().is_some();
        // Calls that were under way when the server asked for a pause do not end it.
        let is_asked_to_wait = self.asked_until.is_some_and(|until| now < until);
        let outage = !is_asked_to_wait && self.not_before.take().is_some();
        Ended { outage, refusal }
    }

    /// Widens a gate that a server's limit has narrowed, by one call for as many successes as go through at a time.
    const fn regain(&mut self) {
        self.got_through += 1;
        if self.width < self.narrowest && self.got_through >= self.width {
            self.width += 1;
            self.got_through = 0;
        }
    }

    /// Closes the gate if the server asks for a pause, or if this is an outage. A server that asks for fewer calls gets half
    /// as many at a time afterwards.
    pub(crate) fn failed(&mut self, now: Instant, retry: Retry) {
        self.failed_calls += 1;
        if let Retry::After(asked) = retry {
            let until = now + asked_for(asked);
            self.asked_until = self.asked_until.max(Some(until));
            self.close(now, until, self.narrowest);
        }
        // Calls that were under way when the gate was closed prove nothing new.
        if self.width(now) > 0 {
            self.failures = self.failures.saturating_add(1);
            if self.failures >= OUTAGE {
                let pause = jittered(self.failures - OUTAGE + 1, LONGEST_PAUSE, rand::random());
                let width = match retry {
                    Retry::Fewer => (self.width.min(self.narrowest) / 2).max(1),
                    Retry::Soon | Retry::After(_) => self.narrowest,
                };
                self.close(now, now + pause, width);
            }
        }
    }

    fn close(&mut self, now: Instant, until: Instant, width: usize) {
        if !self.is_outage() {
            self.outage_since = Some(now);
        }
        self.width = width;
        self.got_through = 0;
        self.short_since = None;
        self.not_before = self.not_before.max(Some(until));
    }

    /// Lets one call through at once: somebody waits for it.
    pub(crate) fn poke(&mut self, now: Instant) {
        self.asked_until = None;
        self.not_before = self.not_before.map(|then| then.min(now));
    }
}

/// Returns a server's `Retry-After`, within reason.
pub(crate) fn asked_for(retry_after: Duration) -> Duration {
    retry_after.min(LONGEST_RETRY_AFTER)
}

/// Returns the wait of a call before its next attempt.
pub(crate) fn backoff(failures: u32, chance: f64) -> Duration {
    jittered(failures, LONGEST_BACKOFF, chance)
}

/// Returns the wait of a call before its next attempt while a flush waits for it.
pub(super) fn urgent_backoff(failures: u32, chance: f64) -> Duration {
    jittered(failures, LONGEST_PAUSE, chance)
}

/// Returns a wait that grows exponentially with the failures, with full jitter.
fn jittered(failures: u32, longest: Duration, chance: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    let ceiling = FIRST_BACKOFF.saturating_mul(1 << doublings).min(longest);
    ceiling.mul_f64(chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_comes_within_a_second_and_later_ones_are_bounded() {
        for _ in 0..1_000 {
            assert!(backoff(1, rand::random()) <= Duration::from_millis(500));
            assert!(backoff(40, rand::random()) <= LONGEST_BACKOFF);
        }
    }

    #[tokio::test]
    async fn a_fault_here_and_there_stops_nobody_else() {
        let now = Instant::now();
        let mut gate = Gate::new(16, 64);
        for _ in 0..100 {
            for _ in 1..OUTAGE {
                gate.failed(now, Retry::Soon);
            }
            assert_eq!(gate.width(now), 16);
            assert!(!gate.succeeded(now).outage, "that was no outage");
        }
    }

    #[tokio::test]
    async fn a_gate_widens_while_calls_wait_though_a_call_fails_every_second() {
        let begun = Instant::now();
        let mut gate = Gate::new(16, 64);
        let wait_for = |gate: &mut Gate, seconds: u64| {
            for second in 0..=seconds {
                let now = begun + Duration::from_secs(second);
                gate.note_shortage(true, now);
                gate.failed(now, Retry::Soon);
                gate.succeeded(now);
            }
            gate.width(begun)
        };
        assert_eq!(wait_for(&mut gate, 4), 16, "a burst");
        gate.note_shortage(false, begun);
        assert_eq!(wait_for(&mut gate, 4), 16, "another");
        assert_eq!(wait_for(&mut gate, 5), 24);
        assert_eq!(wait_for(&mut gate, 60), 64);
    }

    #[tokio::test]
    async fn a_gate_narrows_with_an_outage_and_with_a_pause_that_is_asked_for() {
        let now = Instant::now();
        let second = Retry::After(Duration::from_secs(1));
        for failures in [vec![Retry::Soon; OUTAGE as usize], vec![second]] {
            let mut gate = Gate::new(16, 64);
            gate.note_shortage(true, now);
            gate.note_shortage(true, now + SHORT_FOR);
            assert_eq!(gate.width(now), 24);
            for retry in failures {
                gate.failed(now, retry);
            }
            assert!(gate.succeeded(now + SHORT_FOR).outage);
            gate.note_shortage(true, now + SHORT_FOR * 2);
            assert_eq!(gate.width(now), 16, "the five seconds begin anew");
        }
    }

    #[tokio::test]
    async fn an_outage_is_met_by_one_probe_at_a_time() {
        let now = Instant::now();
        let mut gate = Gate::new(16, 64);
        for _ in 0..16 {
            gate.failed(now, Retry::Soon);
        }
        let later = now + LONGEST_BACKOFF;
        assert_eq!(gate.width(later), 1, "one probe");
        gate.poke(now);
        assert_eq!(gate.width(now), 1, "somebody waits");
        gate.failed(later, Retry::Soon);
        assert_eq!(gate.width(later + LONGEST_BACKOFF), 1, "another");
        assert!(gate.succeeded(later).outage);
        assert_eq!(gate.width(now), 16);
    }

    #[tokio::test]
    async fn the_end_of_a_long_outage_is_soon_seen() {
        let now = Instant::now();
        let mut gate = Gate::new(16, 64);
        for probe in 0..1_000 {
            let then = now + LONGEST_PAUSE * probe;
            gate.failed(then, Retry::Soon);
            assert!(gate.width(then + LONGEST_PAUSE) > 0);
        }
    }

    #[tokio::test]
    async fn an_outage_is_as_old_as_its_first_pause() {
        let second = Duration::from_secs(1);
        let now = Instant::now();
        let mut gate = Gate::new(16, 64);
        for begun in [now, now + second * 10] {
            assert!(!gate.is_outage_of(Duration::ZERO, begun), "there is none");
            for failure in 0..OUTAGE {
                gate.failed(begun + second * failure, Retry::Soon);
            }
            let began = begun + second * (OUTAGE - 1);
            gate.failed(began + second, Retry::Soon);
            assert!(!gate.is_outage_of(second * 2, began + second));
            assert!(gate.is_outage_of(second * 2, began + second * 2));
            gate.succeeded(began + second * 2);
        }
    }

    #[tokio::test]
    async fn retry_after_is_honoured_up_to_a_bound() {
        let now = Instant::now();
        let mut gate = Gate::new(16, 64);
        gate.failed(now, Retry::After(Duration::from_secs(86_400)));
        assert_eq!(gate.not_before, Some(now + LONGEST_RETRY_AFTER));
    }

    #[tokio::test]
    async fn a_pause_that_is_asked_for_is_not_ended_by_a_call_that_was_under_way() {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        for (is_poked, width) in [(false, 0), (true, 16)] {
            let mut gate = Gate::new(16, 64);
            gate.failed(now, Retry::After(minute));
            if is_poked {
                gate.poke(now);
            }
            assert_eq!(gate.succeeded(now).outage, is_poked);
            assert_eq!(gate.width(now), width);
        }
        let mut gate = Gate::new(16, 64);
        gate.failed(now, Retry::After(minute));
        assert_eq!(gate.width(now + minute), 1, "a probe");
        assert!(gate.succeeded(now + minute).outage);
    }

    #[tokio::test]
    async fn a_server_that_asks_for_fewer_calls_gets_half_as_many_and_one_more_for_each_round_that_it_takes()
     {
        let now = Instant::now();
        let mut gate = Gate::new(16, 64);
        for width in [8, 4, 2, 1, 1] {
            let then = now + LONGEST_PAUSE;
            for _ in 0..OUTAGE {
                gate.failed(then, Retry::Fewer);
            }
            assert_eq!(gate.not_before.map(|until| until > then), Some(true));
            assert_eq!(gate.width, width);
            gate.not_before = None;
        }
        for width in 2..=16 {
            for _ in 1..width {
                assert_eq!(gate.width(now), width - 1);
                gate.succeeded(now);
            }
        }
        gate.succeeded(now);
        assert_eq!(gate.width(now), 16);
    }

    #[tokio::test]
    async fn a_gate_that_a_limit_has_narrowed_is_not_widened_by_calls_that_wait() {
        let mut now = Instant::now();
        let mut gate = Gate::new(16, 64);
        for _ in 0..OUTAGE {
            gate.failed(now, Retry::Fewer);
        }
        now += LONGEST_PAUSE;
        gate.succeeded(now);
        for _ in 0..3 {
            gate.note_shortage(true, now);
            now += SHORT_FOR;
        }
        assert_eq!(gate.width(now), 8);
    }

    #[tokio::test]
    async fn a_success_tells_that_the_key_is_accepted() {
        let now = Instant::now();
        let mut gate = Gate::new(16, 64);
        gate.refused_the_key(now);
        assert!(gate.is_unauthorized(now));
        let ended = gate.succeeded(now + UNAUTHORIZED_PAUSE);
        assert_eq!((ended.outage, ended.refusal), (false, true));
        assert!(!gate.succeeded(now + UNAUTHORIZED_PAUSE).refusal);
    }
}
