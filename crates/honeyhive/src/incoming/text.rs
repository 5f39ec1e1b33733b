//! The program's own errors are written as text.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::causes::with_causes;

/// Returns the text of the program's own error, and those of its causes; a panic in one of them is caught.
pub(crate) fn text_with_causes(error: &dyn Error) -> String {
    catch_unwind(AssertUnwindSafe(|| with_causes(error)))
        .unwrap_or_else(|_| "an error whose text cannot be had".to_owned())
}
