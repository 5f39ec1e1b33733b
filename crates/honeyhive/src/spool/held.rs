//! [`Held`] counts the records on disk, by session and event.

use super::note::{Kind, Note};

/// The table has this many counters. Ids that share a counter are mistaken for each other, which only costs a detour
/// over the disk. The memory is the same however much is on disk.
const SLOTS: usize = 1 << 16;

/// The records are counted by id.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The counts are by id, without spans. The list is empty until there is something to count.
    of_one: Vec<Counts>,
    traces: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    starts: u32,
    updates: u32,
}

impl Held {
    pub(super) fn add(&mut self, note: &Note) {
        match note.kind {
            Kind::Traces => self.traces += 1,
            Kind::Start => self.slot(note).starts += 1,
            Kind::Update => self.slot(note).updates += 1,
        }
    }

    pub(super) fn remove(&mut self, note: &Note) {
        let count = match note.kind {
            Kind::Traces => return self.traces = self.traces.saturating_sub(1),
            Kind::Start => &mut self.slot(note).starts,
            Kind::Update => &mut self.slot(note).updates,
        };
        *count = count.saturating_sub(1);
    }

    pub(super) const fn has_traces(&self) -> bool {
        self.traces > 0
    }

    pub(super) fn has_start(&self, id: &[u8; 16]) -> bool {
        self.of_one.get(slot(id)).is_some_and(|it| it.starts > 0)
    }

    pub(super) fn has_any(&self, id: &[u8; 16]) -> bool {
        let counts = self.of_one.get(slot(id));
        counts.is_some_and(|it| it.starts > 0 || it.updates > 0)
    }

    fn slot(&mut self, note: &Note) -> &mut Counts {
        if self.of_one.is_empty() {
            self.of_one = vec![Counts::default(); SLOTS];
        }
        &mut self.of_one[slot(&note.id)]
    }
}

/// Returns the counter of an id: ids are random, but those of a caller's own making need not be in every byte.
fn slot(id: &[u8; 16]) -> usize {
    // The hash is FNV-1a.
    let hash = id.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash % SLOTS as u64) as usize
}
