//! [`ServiceError`] makes a service's error one that can be recorded.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Debug, Display};

/// Returns the error in a box, as most layers of tower have it, so that its causes can be recorded.
pub(crate) fn boxed(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**error);
    }
    error
        .downcast_ref::<Box<dyn Error>>()
        .map(|error| &**error as _)
}

/// An error of which only the text is known: a service's error need be no `Error`.
pub(crate) struct ServiceError<'a, E>(&'a E);

impl<'a, E: Display + 'static> ServiceError<'a, E> {
    /// Calls `record` with the error, in its box or else by its text.
    pub(crate) fn record<T>(error: &'a E, record: impl FnOnce(&dyn Error) -> T) -> T {
        match boxed(error) {
            Some(boxed) => record(boxed),
            None => record(&Self(error)),
        }
    }
}

impl<E: Display> Display for ServiceError<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<E: Display> Debug for ServiceError<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<E: Display> Error for ServiceError<'_, E> {}
