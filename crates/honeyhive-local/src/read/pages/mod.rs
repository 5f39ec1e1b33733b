pub(super) mod comparison;
pub(super) mod datasets;
pub(super) mod experiments;
pub(super) mod orphans;
pub(super) mod requests;
pub(super) mod session;
pub(super) mod sessions;
