//! The pages.

pub(super) mod datasets;
pub(super) mod orphans;
pub(super) mod requests;
pub(super) mod session;
pub(super) mod sessions;
