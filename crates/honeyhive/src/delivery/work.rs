//! The entries that a step looks at are counted, for the tests that bound their number.

#[cfg(test)]
thread_local! {
    static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Notes a look at something that waits.
#[cfg(test)]
pub(super) fn look() {
    LOOKED_AT.with(|it| it.set(it.get() + 1));
}

/// Notes nothing: only tests count.
#[cfg(not(test))]
#[inline]
pub(super) const fn look() {}

/// Returns the count on this thread since the last call.
#[cfg(test)]
pub(super) fn take() -> usize {
    LOOKED_AT.take()
}
