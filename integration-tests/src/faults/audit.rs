//! An auditor reads the counts all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use honeyhive::{DeliveryStats, HoneyHiveTracer};

/// Returns whether `accepted = delivered + pending + dropped`.
#[must_use]
pub const fn balance(stats: &DeliveryStats) -> bool {
    stats.accepted == stats.delivered + stats.pending + stats.dropped.total()
}

/// An `Auditor` is a thread that reads a tracer's counts until it is asked what it has seen.
#[derive(Debug)]
pub struct Auditor {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

const BETWEEN_AUDITS: Duration = Duration::from_micros(200);

/// `Seen` has the observations of an auditor.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    audits: u64,
    most_bytes: u64,
    unbalanced: Option<DeliveryStats>,
}

impl Auditor {
    /// Begins to read.
    #[must_use]
    pub fn of(tracer: &HoneyHiveTracer) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (tracer, is_done) = (tracer.clone(), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            loop {
                let is_last = is_done.load(Ordering::Acquire);
                seen.note(tracer.stats());
                if is_last {
                    return seen;
                }
                // The auditor reads some thousand times a second: the machine has other things to do as well.
                std::thread::sleep(BETWEEN_AUDITS);
            }
        });
        Self { done, thread }
    }

    /// Ends the auditor; the counts have balanced whenever they were read. Returns the most bytes that were pending.
    ///
    /// # Panics
    ///
    /// Where they have not.
    #[track_caller]
    pub fn assert_balanced(self) -> u64 {
        self.done.store(true, Ordering::Release);
        let seen = self.thread.join().expect("an auditor does not panic");
        assert!(seen.audits > 0);
        assert!(seen.unbalanced.is_none(), "{:?}", seen.unbalanced);
        seen.most_bytes
    }
}

impl Seen {
    fn note(&mut self, stats: DeliveryStats) {
        self.audits += 1;
        self.most_bytes = self.most_bytes.max(stats.pending_bytes);
        if !balance(&stats) {
            self.unbalanced = Some(stats);
        }
    }
}
