//! A gate's judgement of a run is a [`Verdict`].

use std::fmt;

/// The outcome of a gate decides whether the run passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateOutcome {
    /// The run is good enough.
    Pass,
    /// The run is not good enough.
    Fail,
    /// The run proves neither that it is good enough nor that it is not.
    Inconclusive,
}

/// A `Verdict` has a gate, its outcome and its finding.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The gate's text.
    pub gate: String,
    /// The outcome.
    pub outcome: GateOutcome,
    /// The finding: the estimate and its interval.
    pub found: String,
    pub(super) counts: bool,
}

impl Verdict {
    /// Returns true where the verdict counts as a failure: inconclusive ones do, unless they are allowed.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        self.counts
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.outcome {
            GateOutcome::Pass => "pass",
            GateOutcome::Fail => "FAIL",
            GateOutcome::Inconclusive => "INCONCLUSIVE",
        };
        write!(formatter, "{word}  {}  ({})", self.gate, self.found)
    }
}

/// `Verdicts` holds the verdicts of all gates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdicts(pub(super) Vec<Verdict>);

impl Verdicts {
    /// Returns true where no verdict counts as a failure.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.0.iter().any(Verdict::is_failure)
    }

    /// Returns the verdicts, in the order of the gates.
    pub fn iter(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter()
    }
}

/// Writes one line per gate.
impl fmt::Display for Verdicts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|verdict| writeln!(formatter, "{verdict}"))
    }
}
