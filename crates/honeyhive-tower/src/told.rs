//! [`boxed`] and [`Told`]: a service's error as one that can be recorded.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Debug, Display};

/// Returns the error in a box, as most layers of tower have it, so that its causes can be told.
pub(crate) fn boxed(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**error);
    }
    error
        .downcast_ref::<Box<dyn Error>>()
        .map(|error| &**error as _)
}

/// An error of which only the text is known: a service's error need be no `Error`.
pub(crate) struct Told<'a, E>(&'a E);

impl<'a, E: Display + 'static> Told<'a, E> {
    /// Calls `record` with the error, in its box or else by its text.
    pub(crate) fn record<T>(error: &'a E, record: impl FnOnce(&dyn Error) -> T) -> T {
        match boxed(error) {
            Some(boxed) => record(boxed),
            None => record(&Self(error)),
        }
    }
}

impl<E: Display> Display for Told<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<E: Display> Debug for Told<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<E: Display> Error for Told<'_, E> {}
