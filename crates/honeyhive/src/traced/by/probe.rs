use std::any::type_name;
use std::fmt::Debug;
use std::marker::PhantomData;

use serde::Serialize;

use super::recorded::Recorded;

/// The probe records an argument or a result: as a slice, through a lock that nobody holds, by `Serialize`, as bytes, not
/// at all, as the one value that is in it, by `Debug`, or by the name of its type.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

/// The `Kind` is that of a type which dereferences to one of another `Kind`.
#[derive(Debug)]
pub struct Behind<Kind: ?Sized>(PhantomData<Kind>);

/// The third choice is `Serialize`.
pub trait BySerialize {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<T: Serialize> BySerialize for &&&&&&Probe<'_, T> {
    #[inline]
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::of(self.0)
    }
}

/// The seventh choice is `Debug`.
pub trait ByDebug {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<T: Debug> ByDebug for &&Probe<'_, T> {
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::shown(self.0)
    }
}

/// The last choice is the name of the type.
pub trait ByName {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<T> ByName for Probe<'_, T> {
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::text(type_name::<T>())
    }
}
