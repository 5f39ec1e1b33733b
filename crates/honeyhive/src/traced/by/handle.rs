use std::any::type_name;
use std::ops::Deref;

use super::probe::{Behind, Probe};
use super::recorded::Recorded;
use crate::HoneyHiveTracer;
#[cfg(feature = "model-calls")]
use crate::model_call::ModelCall;
use crate::session::Session;
use crate::span::Span;

/// The fifth choice records nothing: a handle tells nothing of what a function does.
pub trait ByHandle<Kind: ?Sized> {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<H: Handle<Kind>, Kind: ?Sized> ByHandle<Kind> for &&&&Probe<'_, H> {
    fn __honeyhive_json(&self) -> Recorded {
        if H::is_all() {
            Recorded::NOTHING
        } else {
            Recorded::text(type_name::<H>())
        }
    }
}

/// The type is a handle of this crate, or dereferences to one (an adapter's `CurrentSession`). `Kind` keeps the
/// implementations apart.
pub trait Handle<Kind: ?Sized> {
    /// Returns whether there is nothing beside the handle: the type is no larger.
    fn is_all() -> bool {
        true
    }
}

impl Handle<()> for HoneyHiveTracer {}
impl Handle<()> for Session {}
impl Handle<()> for Span {}
#[cfg(feature = "model-calls")]
impl Handle<()> for ModelCall {}

impl<H: Deref<Target: Handle<Kind> + Sized>, Kind: ?Sized> Handle<Behind<Kind>> for H {
    fn is_all() -> bool {
        size_of::<H>() <= size_of::<H::Target>() && H::Target::is_all()
    }
}

impl<H: Handle<Kind>, Kind: ?Sized> Handle<Option<Behind<Kind>>> for Option<H> {
    fn is_all() -> bool {
        H::is_all()
    }
}
