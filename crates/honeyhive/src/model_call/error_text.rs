//! [`ErrorText`] gives the text of a response's error, of whatever kind the error is.

use std::error::Error;

use crate::model::causes::{text_or_placeholder, with_causes};
use crate::model::text::bounded;

/// The trait gives the text of an error and of its causes: of an [`Error`], a boxed one, those of `anyhow` and `eyre`,
/// and a text. `Kind` keeps these apart, and the compiler finds it. Another one, such as an `Arc<dyn Error + Send +
/// Sync>`, is told by [`Recorder::error`](super::Recorder::error).
///
/// ```
/// use honeyhive::model_call::ErrorText;
/// use std::{error::Error, io};
///
/// fn told<Kind: ?Sized>(error: &impl ErrorText<Kind>) -> String {
///     error.text_with_causes()
/// }
///
/// assert_eq!(told(&io::Error::other("reset")), "reset");
/// assert_eq!(told(&Box::<dyn Error + Send + Sync>::from("reset")), "reset");
/// assert_eq!(told(&"reset"), "reset");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error whose causes can be told",
    note = "`std::error::Error` has them, and so has a `Box<dyn Error + Send + Sync>`; a text is told as it is"
)]
pub trait ErrorText<Kind: ?Sized> {
    /// Returns the error's text and those of its causes, outermost first, each once.
    fn text_with_causes(&self) -> String;
}

impl<E: Error> ErrorText<dyn Error> for E {
    fn text_with_causes(&self) -> String {
        with_causes(self)
    }
}

impl ErrorText<Self> for Box<dyn Error> {
    fn text_with_causes(&self) -> String {
        with_causes(&**self)
    }
}

impl<E: AsRef<dyn Error + Send + Sync>> ErrorText<Box<dyn Error + Send + Sync>> for E {
    fn text_with_causes(&self) -> String {
        text_or_placeholder(|| with_causes(self.as_ref()))
    }
}

impl ErrorText<str> for &str {
    fn text_with_causes(&self) -> String {
        bounded(format_args!("{self}"))
    }
}

impl ErrorText<str> for String {
    fn text_with_causes(&self) -> String {
        bounded(format_args!("{self}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt, io};

    fn told<Kind: ?Sized>(error: &impl ErrorText<Kind>) -> String {
        error.text_with_causes()
    }

    #[derive(Debug)]
    struct Caused(io::Error);

    impl fmt::Display for Caused {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("reading failed")
        }
    }

    impl Error for Caused {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn every_kind_of_error_is_told_with_its_causes() {
        let error = || Caused(io::Error::other("reset"));
        assert_eq!(told(&error()), "reading failed: reset");
        let boxed: Box<dyn Error> = Box::new(error());
        assert_eq!(told(&boxed), "reading failed: reset");
        let boxed: Box<dyn Error + Send + Sync> = Box::new(error());
        assert_eq!(told(&boxed), "reading failed: reset");
        assert_eq!(told(&"reset"), "reset");
        assert_eq!(told(&"reset".to_owned()), "reset");
    }
}
