//! What the pieces of a request run in.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::Context;

use crate::outbox::Outbox;
use crate::session::current::Suppression;

/// What the pieces of a request run in.
pub(crate) enum Scope {
    /// What is there already.
    Unchanged,
    /// The context of the request's session.
    Session(Context),
    /// Nothing is recorded.
    Suppressed(Arc<Outbox>),
}

impl Scope {
    pub(crate) fn run<T>(&self, piece: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
        // The panic goes on afterwards, so nobody sees what it may have left half-done.
        let piece = AssertUnwindSafe(piece);
        match self {
            Self::Unchanged => catch_unwind(piece),
            Self::Session(cx) => {
                let _attached = cx.clone().attach();
                catch_unwind(piece)
            }
            Self::Suppressed(outbox) => {
                let _suppressed = Suppression::of(outbox);
                catch_unwind(piece)
            }
        }
    }

    pub(crate) const fn context(&self) -> Option<&Context> {
        match self {
            Self::Session(cx) => Some(cx),
            Self::Unchanged | Self::Suppressed(_) => None,
        }
    }
}
