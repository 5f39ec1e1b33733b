//! A count of the entries that a step looks at, for the tests that bound it.

#[cfg(test)]
thread_local! {
    static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Notes that something which waits was looked at.
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
