//! The signals that end a program have a stand-in here, where the feature `signal` is off.

pub(super) struct Signals;

impl Signals {
    pub(super) const fn new() -> Self {
        Self
    }

    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "as that of the signals that there are"
    )]
    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }
}
