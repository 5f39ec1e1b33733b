//! The text of the program's own errors.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The text of the program's own error, which has no business to panic.
pub(crate) fn text_of(error: &dyn fmt::Display) -> String {
    catch_unwind(AssertUnwindSafe(|| error.to_string()))
        .unwrap_or_else(|_| "an error whose text cannot be had".to_owned())
}
