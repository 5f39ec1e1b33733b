//! The plan says which calls fail.

use crate::fault::{Endpoint, Fault};

/// A `Plan` has the faults that are on, in the order they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    active: Vec<Active>,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    /// The number of calls that the fault could have failed.
    seen: u64,
    /// The number of calls that the fault has failed.
    failed: u64,
}

impl Plan {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.active.push(Active {
            fault,
            seen: 0,
            failed: 0,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// Returns the fault that the next call to `endpoint` meets: the first that has its turn.
    pub(crate) fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.active.retain(Active::has_calls_left);
        let mut candidates = self.active.iter_mut();
        let active = candidates.find_map(|active| active.take(endpoint).then_some(active))?;
        Some(active.fault.clone())
    }
}

impl Active {
    fn has_calls_left(&self) -> bool {
        self.fault.times.is_none_or(|times| self.failed < times)
    }

    fn take(&mut self, endpoint: Endpoint) -> bool {
        let aimed_at = self.fault.endpoint;
        if aimed_at != Endpoint::All && aimed_at != endpoint {
            return false;
        }
        self.seen += 1;
        let due = self.is_due();
        self.failed += u64::from(due);
        due
    }

    fn is_due(&self) -> bool {
        match self.fault.seed {
            Some(seed) => chance(seed, self.seen) < self.fault.share,
            None => self.is_due_evenly(),
        }
    }

    /// Returns whether the share of `seen` calls has just reached another whole number.
    fn is_due_evenly(&self) -> bool {
        let due_by = |calls: u64| (calls as f64 * self.fault.share + ROUNDING).floor();
        due_by(self.seen) > due_by(self.seen - 1)
    }
}

/// Returns a number from 0 to below 1, the same for the same call: SplitMix64.
fn chance(seed: u64, call: u64) -> f64 {
    let mut bits = seed.wrapping_add(call.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// The sum of ten times 0.1 has to be one.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::Plan;
    use crate::fault::{Endpoint, Fault};

    fn failures(fault: Fault, calls: usize) -> usize {
        let mut plan = Plan::default();
        plan.add(fault);
        let failing = (0..calls).filter(|_| plan.next(Endpoint::Traces).is_some());
        failing.count()
    }

    #[test]
    fn a_share_of_the_calls_is_met_exactly() {
        for (share, expected) in [(0.0, 0), (0.1, 100), (0.3, 300), (0.999, 999), (1.0, 1000)] {
            assert_eq!(failures(Fault::hang().share(share), 1000), expected);
        }
        assert_eq!(failures(Fault::hang().share(f64::NAN), 1000), 0);
    }

    #[test]
    fn a_share_at_random_is_met_about_and_always_by_the_same_calls() {
        let turns = |seed| {
            let mut plan = Plan::default();
            plan.add(Fault::hang().share(0.3).at_random(seed));
            let turn = |_| plan.next(Endpoint::Traces).is_some();
            (0..10_000).map(turn).collect::<Vec<_>>()
        };
        let failing = turns(7).into_iter().filter(|fails| *fails).count();
        assert!((2_800..3_200).contains(&failing), "{failing}");
        assert_eq!(turns(7), turns(7));
        assert_ne!(turns(7), turns(8));
    }

    #[test]
    fn times_counts_the_calls_that_failed() {
        assert_eq!(failures(Fault::hang().times(3).share(0.5), 1000), 3);
        assert_eq!(failures(Fault::hang().times(0), 1000), 0);
    }

    #[test]
    fn a_fault_only_meets_the_endpoint_it_is_aimed_at() {
        assert_eq!(failures(Fault::hang().on(Endpoint::Sessions), 10), 0);
        assert_eq!(failures(Fault::hang().on(Endpoint::Traces), 10), 10);
    }
}
