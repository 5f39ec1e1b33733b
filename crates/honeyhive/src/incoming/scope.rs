//! What the pieces of a request run in.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::{Context, ContextGuard};

use crate::outbox::Outbox;
use crate::session::current::Suppression;

/// Held while a piece runs.
#[expect(dead_code, reason = "held for their drop")]
enum Entered {
    Unchanged,
    Session(ContextGuard),
    Suppressed(Suppression),
}

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
    #[inline]
    pub(crate) fn run<T>(&self, piece: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
        let _entered = self.enter();
        // The panic goes on afterwards, so nobody sees what it may have left half-done.
        catch_unwind(AssertUnwindSafe(piece))
    }

    #[inline]
    fn enter(&self) -> Entered {
        match self {
            Self::Unchanged => Entered::Unchanged,
            Self::Session(cx) => Entered::Session(cx.clone().attach()),
            Self::Suppressed(outbox) => Entered::Suppressed(Suppression::of(outbox)),
        }
    }

    pub(crate) const fn context(&self) -> Option<&Context> {
        match self {
            Self::Session(cx) => Some(cx),
            Self::Unchanged | Self::Suppressed(_) => None,
        }
    }
}
