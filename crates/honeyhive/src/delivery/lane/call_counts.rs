//! [`CallCounts`] tell how many calls of each kind do what; they are kept while calls come, change and go.

use crate::delivery::sealed::Sealed;
use crate::outbox::Load;

/// A call in the lane is in one of these states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// The call waits, and may be tried as soon as nothing is in front of it.
    Ready,
    /// The call waits until a time.
    Resting,
    /// The call is under way to HoneyHive.
    UnderWay,
    /// The call is on its way to the disk.
    Writing,
    /// The disk is being told the call's outcome.
    Settling,
}

/// The calls are counted by kind and state.
#[derive(Debug, Default)]
pub(super) struct CallCounts {
    /// The ready calls in memory are counted: sessions' calls, then spans.
    ready: [usize; 2],
    under_way: [usize; 2],
    under_way_from_disk: [usize; 2],
    writing: usize,
    writing_load: Load,
    settling: usize,
    /// The records that were read back are counted.
    recalled: usize,
    recalled_bytes: usize,
    spans_in_memory: usize,
}

impl CallCounts {
    /// Counts a call in.
    pub(super) fn add(&mut self, call: &Sealed, doing: Doing) {
        self.count(call, doing, |number, by| *number += by);
    }

    /// Counts a call out.
    pub(super) fn remove(&mut self, call: &Sealed, doing: Doing) {
        self.count(call, doing, |number, by| *number -= by);
    }

    fn count(&mut self, call: &Sealed, doing: Doing, change: impl Fn(&mut usize, usize)) {
        let kind = usize::from(call.target.is_traces());
        let is_disk = call.home.is_disk();
        if is_disk {
            change(&mut self.recalled, 1);
            change(&mut self.recalled_bytes, call.bytes());
        } else if call.target.is_traces() {
            change(&mut self.spans_in_memory, 1);
        }
        match doing {
            Doing::Ready if !is_disk => change(&mut self.ready[kind], 1),
            Doing::Ready | Doing::Resting => {}
            Doing::UnderWay => {
                change(&mut self.under_way[kind], 1);
                if is_disk {
                    change(&mut self.under_way_from_disk[kind], 1);
                }
            }
            Doing::Writing => {
                change(&mut self.writing, 1);
                let Load { items, bytes } = call.claim.load();
                change_u64(&mut self.writing_load.items, items, &change);
                change_u64(&mut self.writing_load.bytes, bytes, &change);
            }
            Doing::Settling => change(&mut self.settling, 1),
        }
    }

    pub(super) const fn ready(&self, is_traces: bool) -> usize {
        self.ready[is_traces as usize]
    }

    pub(super) const fn under_way(&self, is_traces: bool) -> usize {
        self.under_way[is_traces as usize]
    }

    pub(super) const fn under_way_from_disk(&self, is_traces: bool) -> usize {
        self.under_way_from_disk[is_traces as usize]
    }

    pub(super) const fn writing(&self) -> (usize, Load) {
        (self.writing, self.writing_load)
    }

    pub(super) const fn is_at_disk(&self) -> bool {
        self.writing + self.settling > 0
    }

    pub(super) const fn recalled(&self) -> (usize, usize) {
        (self.recalled, self.recalled_bytes)
    }

    pub(super) const fn has_spans_in_memory(&self) -> bool {
        self.spans_in_memory > 0
    }
}

fn change_u64(number: &mut u64, by: u64, change: &impl Fn(&mut usize, usize)) {
    let mut small = *number as usize;
    change(&mut small, by as usize);
    *number = small as u64;
}
