//! [`Routes`] are the two ways to HoneyHive, one for the data of sessions and one for spans.

use tokio::time::Instant;

use super::gate::Gate;
use super::plan::Plan;
use super::sealed::Target;
use super::sink::Sink;

/// So many calls are under way at a time, and up to `REST_WIDEST` where HoneyHive takes its time.
pub(super) const REST_WIDTH: usize = 16;
const REST_WIDEST: usize = 64;
pub(super) const TRACES_WIDTH: usize = 4;

/// The routes tell how many calls HoneyHive takes now; they have the sink that splits calls.
#[derive(Debug)]
pub(super) struct Routes {
    pub(super) rest: Gate,
    pub(super) traces: Gate,
    pub(super) sink: Sink,
}

impl Routes {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            rest: Gate::new(REST_WIDTH, REST_WIDEST),
            traces: Gate::new(TRACES_WIDTH, TRACES_WIDTH),
            sink: plan.sink.clone(),
        }
    }

    pub(super) const fn gate(&self, is_traces: bool) -> &Gate {
        if is_traces { &self.traces } else { &self.rest }
    }

    pub(super) const fn gate_mut(&mut self, target: Target) -> &mut Gate {
        if target.is_traces() {
            &mut self.traces
        } else {
            &mut self.rest
        }
    }

    /// Returns how many more calls of a kind may be made while `under_way` are.
    pub(super) fn room(&self, is_traces: bool, under_way: usize, now: Instant) -> usize {
        let gate = self.gate(is_traces);
        if gate.is_unauthorized(now) {
            return 0;
        }
        gate.width(now).saturating_sub(under_way)
    }
}
