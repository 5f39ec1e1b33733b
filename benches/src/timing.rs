//! Both sides of a comparison alternate, so that a busy machine slows both.

use std::fmt;
use std::time::Instant;

use crate::Work;

const ROUNDS: usize = 15;
const SAMPLES: usize = 5;
/// So many requests fit between two interruptions.
const REQUESTS: u32 = 2000;

/// A `Comparison` has the times of both sides, over all rounds.
pub(crate) struct Comparison {
    /// The nanoseconds a request.
    bare: Vec<f64>,
    other: Vec<f64>,
}

impl Comparison {
    pub(crate) fn of(bare: &mut Work, other: &mut Work) -> Self {
        let (bare, other) = (0..ROUNDS)
            .map(|_| (nanoseconds(bare), nanoseconds(other)))
            .unzip();
        Self { bare, other }
    }
}

/// Shows the ratio's median and quartiles, and the extra time's median, in nanoseconds.
impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = || self.bare.iter().zip(&self.other);
        let ratios = sorted(pairs().map(|(bare, other)| other / bare));
        let extra = sorted(pairs().map(|(bare, other)| other - bare));
        let [low, middle, high] = [1, 2, 3].map(|quarter| ratios[ratios.len() * quarter / 4]);
        let extra = extra[extra.len() / 2];
        write!(formatter, "{middle:.2} {low:.2} {high:.2} {extra:.0}")
    }
}

/// Returns the median of some samples.
fn nanoseconds(work: &mut Work) -> f64 {
    let samples = sorted((0..SAMPLES).map(|_| {
        let began = Instant::now();
        work(REQUESTS);
        began.elapsed().as_nanos() as f64 / f64::from(REQUESTS)
    }));
    samples[SAMPLES / 2]
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
