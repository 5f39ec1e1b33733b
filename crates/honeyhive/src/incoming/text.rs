//! The program's own errors are written as text.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::causes::with_causes;

/// Returns the text of the program's own error; a panic in it is caught.
pub(crate) fn text_of(error: &dyn fmt::Display) -> String {
    guarded(|| error.to_string())
}

/// Returns the text of the program's own error, and those of its causes.
pub(crate) fn text_with_causes(error: &dyn Error) -> String {
    guarded(|| with_causes(error))
}

fn guarded(text: impl FnOnce() -> String) -> String {
    catch_unwind(AssertUnwindSafe(text))
        .unwrap_or_else(|_| "an error whose text cannot be had".to_owned())
}
