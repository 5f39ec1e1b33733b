//! Suppression stops the recording of a request that a filter keeps out, and of code that runs inside it.

use std::cell::{Cell, RefCell};

use crate::outbox::Outbox;
use crate::owners::MemberId;

thread_local! {
    /// This thread records nothing for this tracer just now.
    ///
    /// The member is no context value, since a request that is not traced should cost next to nothing. For the same
    /// reason the first member has a place of its own, with neither a destructor nor a borrow.
    static SUPPRESSED: Cell<Option<MemberId>> = const { Cell::new(None) };
    /// The further members are here, where filters of several tracers are around one request.
    static SUPPRESSED_TOO: RefCell<Vec<MemberId>> = const { RefCell::new(Vec::new()) };
}

/// The guard keeps spans that start on this thread outside every session from being recorded. The last guard to be made
/// is the first to be dropped.
#[cfg(feature = "http-server")]
#[derive(Debug)]
pub(crate) struct Suppression {
    is_first: bool,
}

#[cfg(feature = "http-server")]
impl Suppression {
    #[inline]
    pub(crate) fn of(tracer: MemberId) -> Self {
        let is_first = SUPPRESSED.get().is_none();
        if is_first {
            SUPPRESSED.set(Some(tracer));
        } else {
            // The thread may be ending.
            let _ = SUPPRESSED_TOO.try_with(|suppressed| suppressed.borrow_mut().push(tracer));
        }
        Self { is_first }
    }
}

#[cfg(feature = "http-server")]
impl Drop for Suppression {
    #[inline]
    fn drop(&mut self) {
        if self.is_first {
            SUPPRESSED.set(None);
        } else {
            // The thread may be ending.
            let _ = SUPPRESSED_TOO.try_with(|suppressed| suppressed.borrow_mut().pop());
        }
    }
}

/// Returns the tracer that the innermost layer which leaves this request alone belongs to.
#[cfg(feature = "http-server")]
pub(crate) fn here() -> Option<MemberId> {
    SUPPRESSED.get()
}

#[inline]
pub(crate) fn is_suppressed(outbox: &Outbox) -> bool {
    let tracer = outbox.member().id();
    SUPPRESSED
        .get()
        .is_some_and(|first| first == tracer || is_suppressed_too(tracer))
}

fn is_suppressed_too(tracer: MemberId) -> bool {
    // The thread may be ending.
    SUPPRESSED_TOO
        .try_with(|suppressed| suppressed.borrow().contains(&tracer))
        .unwrap_or(false)
}
