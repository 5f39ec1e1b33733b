//! The program's own panics are told, and stopped where they would do harm.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::outbox::Outbox;

pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = panic_message(payload);
    format!("panicked: {}", text.unwrap_or("(no message)"))
}

/// Returns the message of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Runs a callback of the program; a panic in it is counted and goes no further.
pub(crate) fn guarded<T>(outbox: &Outbox, callback: impl FnOnce() -> T) -> Option<T> {
    let outcome = catch_unwind(AssertUnwindSafe(callback));
    if outcome.is_err() {
        outbox.count_callback_panic();
    }
    outcome.ok()
}
