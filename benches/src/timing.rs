//! Times, as far as a busy machine has any: both sides alternate, so that what slows one slows the other.

use std::fmt;
use std::time::Instant;

use crate::Work;

const ROUNDS: usize = 15;
const SAMPLES: usize = 5;
/// Short enough to fit between two interruptions.
const REQUESTS: u32 = 2000;

/// The time of one side beside the other, over all rounds.
pub(crate) struct Comparison {
    /// Nanoseconds a request.
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

/// The ratio's median and quartiles, and the extra time's median, in nanoseconds.
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

/// The median of some samples.
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
