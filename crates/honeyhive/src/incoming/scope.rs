//! The pieces of a request run in a scope.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::Context;

use crate::context;

/// Runs a piece of the program's own code in a context. A panic is returned, so that it can be recorded before it goes
/// on.
#[inline]
pub(crate) fn run_in<T>(cx: &Context, piece: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    let _attached = context::attach(cx.clone());
    // The panic goes on afterwards, so its half-done work is never seen.
    catch_unwind(AssertUnwindSafe(piece))
}
