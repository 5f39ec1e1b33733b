//! Values of the program become JSON in memory, bounded before it is made; a value that JSON cannot hold costs nothing
//! but itself.

mod budget;
mod locks;
mod private;
mod serializer;
#[cfg(test)]
mod tests;

use serde::Serialize;
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

/// Does the same as [`take`], with the bounds of an event.
pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<Value, Error> {
    Ok(take(value, Bounds::EVENT)?.json)
}
