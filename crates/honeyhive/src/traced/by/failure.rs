use std::any::type_name;
use std::error::Error;
use std::fmt::{Debug, Display};

use crate::model::causes::{error_text, text_or_placeholder, with_causes};

/// The probe writes an error: with its causes where it has them, else by `Display`, else by `Debug`, else by the name
/// of its type.
#[derive(Debug)]
pub struct Failure<'a, T>(pub &'a T);

/// The first choice is an error with its causes.
pub trait TextOfError {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: Error> TextOfError for &&&&&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        with_causes(self.0)
    }
}

/// The second choice is boxes of any error, and the types of `anyhow` and `eyre`.
pub trait TextOfAny {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: AsRef<dyn Error>> TextOfAny for &&&&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        text_or_placeholder(|| with_causes(self.0.as_ref()))
    }
}

/// The text is that of a boxed or wrapped error that may go to another thread, with its causes.
pub trait TextOfAnySend {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: AsRef<dyn Error + Send + Sync>> TextOfAnySend for &&&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        text_or_placeholder(|| with_causes(self.0.as_ref()))
    }
}

/// The next choice is `Display`.
pub trait TextByDisplay {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: Display> TextByDisplay for &&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        error_text(format_args!("{}", self.0))
    }
}

/// The next choice is `Debug`.
pub trait TextByDebug {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: Debug> TextByDebug for &Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        error_text(format_args!("{:?}", self.0))
    }
}

/// The last choice is the name of the type.
pub trait TextByName {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T> TextByName for Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        type_name::<T>().to_owned()
    }
}
