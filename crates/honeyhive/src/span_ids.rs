//! [`SpanIds`] tell by an id alone whether a span comes to HoneyHive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

/// `SpanIds` makes the ids of one tracer's spans: the last bits of each follow from the others and from the tracer's
/// key.
#[derive(Debug, Clone)]
pub(crate) struct SpanIds(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    key: u64,
    /// Spans with ids of another make come to HoneyHive, too.
    are_others: AtomicBool,
}

impl SpanIds {
    /// An id is known again by these bits; one foreign id in 65,536 has them by chance.
    const SEAL: u64 = 0xffff;

    pub(crate) fn new() -> Self {
        let key = RandomIdGenerator::default().new_span_id();
        Self(Arc::new(Inner {
            key: u64::from_be_bytes(key.to_bytes()),
            are_others: AtomicBool::new(false),
        }))
    }

    /// Notes a span that has started. One with an id of another make says that more of them come: another provider has
    /// the tracer's processor.
    #[inline]
    pub(crate) fn note(&self, id: SpanId) {
        if !self.may_come(id) {
            self.0.are_others.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether the span of this id comes to HoneyHive, as far as that is known.
    pub(crate) fn may_come(&self, id: SpanId) -> bool {
        let bits = u64::from_be_bytes(id.to_bytes());
        self.sealed(bits) == bits || self.0.are_others.load(Ordering::Relaxed)
    }

    /// Returns the id whose last bits follow from the others.
    fn sealed(&self, bits: u64) -> u64 {
        /// The factor is that of Fibonacci hashing: the upper bits of a product depend on all bits.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let rest = bits & !Self::SEAL;
        rest | ((rest ^ self.0.key).wrapping_mul(SPREAD) >> 48)
    }
}

impl IdGenerator for SpanIds {
    fn new_trace_id(&self) -> TraceId {
        RandomIdGenerator::default().new_trace_id()
    }

    fn new_span_id(&self) -> SpanId {
        loop {
            let random = RandomIdGenerator::default().new_span_id().to_bytes();
            let sealed = self.sealed(u64::from_be_bytes(random));
            // Zero is no id.
            if sealed != 0 {
                return SpanId::from_bytes(sealed.to_be_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracer_knows_its_own_ids_and_no_others() {
        let (ours, theirs) = (SpanIds::new(), SpanIds::new());
        let known_to = |ids: &SpanIds, by: &dyn IdGenerator| {
            let made = (0..1_000).map(|_| by.new_span_id());
            made.filter(|id| ids.may_come(*id)).count()
        };
        assert_eq!(known_to(&ours, &ours), 1_000);
        assert!(known_to(&ours, &theirs) < 10);
        assert!(known_to(&ours, &RandomIdGenerator::default()) < 10);
        ours.note(theirs.new_span_id());
        assert_eq!(known_to(&ours, &theirs), 1_000);
    }
}
