//! Values of the program become JSON in memory, bounded before it is made; a value that JSON cannot hold costs nothing
//! but itself.

mod budget;
mod locks;
mod private;
mod serializer;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::{Error, Value};

pub(crate) use budget::Bounds;
use budget::Budget;
#[cfg(feature = "macros")]
pub(crate) use locks::BEHIND_A_LOCK;
use serializer::Lenient;
#[cfg(feature = "tracing")]
pub(crate) use serializer::octets;

/// A part of a value is taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    pub(crate) json: Value,
    /// The flag tells whether a part of the value was left out.
    pub(crate) is_cut: bool,
    /// The value is a text by itself, not a name or a date that is written as one.
    pub(crate) is_text: bool,
}

/// Returns the value as JSON, as far as it fits.
///
/// | What | Becomes |
/// |---|---|
/// | more than 100 numbers in a list | the first 16, and a mark with the length |
/// | more than 4,096 entries in a map | the first of them, and `truncated: true` |
/// | more than 32 bytes, or bytes of a type of their own | a text with the length and the first 16 |
/// | a number that JSON does not know (`nan`, `inf`, beyond 64 bits) | text |
/// | a [`SystemTime`](std::time::SystemTime) | text, as other dates are |
/// | the key of a map that is no text | text |
/// | a value behind a lock | a mark: taking the lock could wait for its holder |
/// | more than 64 values within each other | a mark |
/// | a part that cannot be serialised | a text that says so |
///
/// `take` fails where the value as a whole cannot be serialised.
#[inline]
pub(crate) fn take(value: &(impl Serialize + ?Sized), bounds: Bounds) -> Result<Taken, Error> {
    let budget = Budget::new(bounds);
    let json = Lenient::new(&budget).whole(value)?;
    Ok(Taken {
        json,
        is_cut: budget.is_cut(),
        is_text: budget.is_text(),
    })
}

/// Does the same as [`take`], with the bounds of an event. A value that panics cannot be serialised.
pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<Value, Error> {
    caught(|| Ok(take(value, Bounds::EVENT)?.json))
}

/// Returns the value as JSON, unbounded and strictly: as it goes into a call of the API. A value that panics cannot be
/// serialised.
#[cfg(feature = "client")]
pub(crate) fn to_json_as_it_is(value: impl Serialize) -> Result<Value, Error> {
    caught(|| serde_json::to_value(value))
}

/// Returns the value as JSON text. A value that panics cannot be serialised.
#[cfg(feature = "model-calls")]
pub(crate) fn to_text(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    caught(|| serde_json::to_vec(value))
}

/// Runs the program's own code that serialises a value; its panic is an error as any other.
fn caught<T>(serialise: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // JSON that is half-made is dropped with the panic.
    catch_unwind(AssertUnwindSafe(serialise))
        .unwrap_or_else(|_| Err(Error::custom("serialising it panics")))
}
