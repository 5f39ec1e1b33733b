//! [`Failure`] is a type that an `Err` may have.

use std::borrow::Cow;
use std::error::Error;

use crate::model::causes::{text_or_placeholder, with_causes};

/// A failure is the `Err` of a unit of work: an error, a type that boxes or wraps one (`Box<dyn Error>`,
/// `anyhow::Error`, `eyre::Report`), or text.
///
/// The parameter tells these kinds apart; the compiler finds it.
#[diagnostic::on_unimplemented(
    message = "an `Err` of `{Self}` cannot be recorded: it is neither an error nor text",
    label = "this returns an `Err` that says nothing",
    note = "map it, as in `.map_err(|error| format!(\"{{error:?}}\"))`, or start the span with `.start()` and use `.scope(..)` and `.error(..)`"
)]
pub trait Failure<Kind> {
    /// Returns the text of the error, with its causes.
    fn to_text(&self) -> String;
}

/// A [`Failure`] is of one of these kinds.
#[allow(unreachable_pub, reason = "the compiler names them, and nobody else")]
mod kinds {
    #[derive(Debug)]
    pub enum Plain {}
    #[derive(Debug)]
    pub enum Wrapped {}
    #[derive(Debug)]
    pub enum Boxed {}
    #[derive(Debug)]
    pub enum Text {}
}

impl<E: Error> Failure<kinds::Plain> for E {
    fn to_text(&self) -> String {
        with_causes(self)
    }
}

impl<E: AsRef<dyn Error + 'static>> Failure<kinds::Wrapped> for E {
    fn to_text(&self) -> String {
        text_or_placeholder(|| with_causes(self.as_ref()))
    }
}

impl Failure<kinds::Boxed> for Box<dyn Error + Send + Sync> {
    fn to_text(&self) -> String {
        with_causes(&**self)
    }
}

impl Failure<kinds::Boxed> for Box<dyn Error + Send> {
    fn to_text(&self) -> String {
        with_causes(&**self)
    }
}

impl Failure<kinds::Text> for String {
    fn to_text(&self) -> String {
        self.clone()
    }
}

impl Failure<kinds::Text> for &str {
    fn to_text(&self) -> String {
        (*self).to_owned()
    }
}

impl Failure<kinds::Text> for Cow<'_, str> {
    fn to_text(&self) -> String {
        self.clone().into_owned()
    }
}
