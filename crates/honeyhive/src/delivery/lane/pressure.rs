//! The bounds of the relief of memory to disk.

use std::time::Duration;

use crate::outbox::WAKE_FOR_DISK;

/// The share of the room from which on items go to disk during an outage.
const FULL_IN_AN_OUTAGE: f64 = 0.5;
/// The share of the room from which on items go to disk in any case.
const FULL: f64 = WAKE_FOR_DISK as f64 / 8.0;
/// The share of the room at which the relief ends.
pub(in crate::delivery) const RELIEVED: f64 = 0.375;

/// The most calls on their way to disk at a time.
pub(in crate::delivery) const WRITES: usize = 64;

/// The pause before a call that the disk has refused is offered again.
pub(in crate::delivery) const REFUSED_WAIT: Duration = Duration::from_secs(1);
/// The pause after a search that found nothing to write.
pub(in crate::delivery) const RELIEF_PAUSE: Duration = Duration::from_millis(100);

/// Whether memory is so full that it is relieved.
pub(in crate::delivery) fn is_too_full(fullness: f64, is_outage: bool) -> bool {
    fullness >= if is_outage { FULL_IN_AN_OUTAGE } else { FULL }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_relieves_memory_earlier() {
        // (fullness, in an outage, at any time)
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
