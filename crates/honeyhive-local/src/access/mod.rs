//! Callers have permissions.

mod browser;
mod keys;

pub(crate) use browser::refusal as browser_refusal;
pub(crate) use keys::{Area, is_authorized, may_read};
