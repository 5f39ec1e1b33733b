use std::sync::Arc;

use serde::Serialize;

use super::probe::Probe;
use super::recorded::Recorded;

/// The first choice is a slice: `serde` knows no arrays of more than 32.
pub trait BySlice {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<A: Array<Item: Serialize>> BySlice for &&&&&&&&Probe<'_, A> {
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::of(self.0.items())
    }
}

/// The type is an array, or leads to one.
pub trait Array {
    /// The elements are of this type.
    type Item;

    /// Returns the elements.
    fn items(&self) -> &[Self::Item];
}

impl<T, const N: usize> Array for [T; N] {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

macro_rules! leads_to_an_array {
    ($($leads:ty),*) => {$(
        impl<A: Array> Array for $leads {
            type Item = A::Item;

            fn items(&self) -> &[A::Item] {
                A::items(self)
            }
        }
    )*};
}

leads_to_an_array!(&A, &mut A, Arc<A>, Box<A>);
