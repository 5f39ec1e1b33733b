//! The relief of memory to disk has bounds.

use std::time::Duration;

use crate::outbox::WAKE_FOR_DISK;

/// Items go to disk from this share of the room on during an outage.
const FULL_IN_AN_OUTAGE: f64 = 0.5;
/// Items go to disk from this share of the room on in any case.
const FULL: f64 = WAKE_FOR_DISK as f64 / 8.0;
/// The relief ends at this share of the room.
pub(in crate::delivery) const RELIEVED: f64 = 0.375;

/// Calls go to disk from this age of an outage on, however much room there is.
pub(in crate::delivery) const LASTING: Duration = Duration::from_secs(3);

/// So many calls at the most are on their way to disk at a time.
pub(in crate::delivery) const WRITES: usize = 64;

/// A call that the disk has refused is offered again after this pause.
pub(in crate::delivery) const REFUSED_WAIT: Duration = Duration::from_secs(1);
/// A search that found nothing to write is followed by this pause.
pub(in crate::delivery) const RELIEF_PAUSE: Duration = Duration::from_millis(100);

/// Returns whether memory is so full that it is relieved.
pub(in crate::delivery) fn is_too_full(fullness: f64, is_outage: bool) -> bool {
    fullness >= if is_outage { FULL_IN_AN_OUTAGE } else { FULL }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_relieves_memory_earlier() {
        // The columns have the fullness, the relief in an outage, and the relief at any time.
        let table = [
            (0.0, false, false),
            (0.49, false, false),
            (0.5, true, false),
            (0.74, true, false),
            (0.75, true, true),
            (1.0, true, true),
        ];
        for (fullness, in_an_outage, else_too) in table {
            assert_eq!(is_too_full(fullness, true), in_an_outage, "{fullness}");
            assert_eq!(is_too_full(fullness, false), else_too, "{fullness}");
        }
        const { assert!(RELIEVED < FULL_IN_AN_OUTAGE) };
    }
}
