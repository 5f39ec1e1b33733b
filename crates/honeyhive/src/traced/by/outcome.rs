use std::convert::Infallible;

/// The outcome is the result of a function or an item of a stream: a `Result`, or a value of any other type.
#[derive(Debug)]
pub struct Outcome<'a, T>(pub &'a T);

/// The first choice is a `Result`.
pub trait OfResult<'a, T, E> {
    /// Returns the value or the error.
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a E>;
}

impl<'a, T, E> OfResult<'a, T, E> for &Outcome<'a, Result<T, E>> {
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a E> {
        self.0.as_ref()
    }
}

/// The last choice is a value of any type.
pub trait OfValue<'a, T> {
    /// Returns the value.
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a Infallible>;
}

impl<'a, T> OfValue<'a, T> for Outcome<'a, T> {
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a Infallible> {
        Ok(self.0)
    }
}
