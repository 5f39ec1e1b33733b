//! The decision after a failed attempt says whether the function is called again, and when.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::model::causes::with_causes;
use crate::model::limits;

/// The longest text of an error or panic that is kept, in bytes: 1 KiB with the mark of what was cut.
const TEXT: usize = 960;
/// The first wait takes up to this long, each further one up to twice as long.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// The error says why an attempt of a function has no outputs.
#[derive(Debug)]
#[non_exhaustive]
pub enum AttemptError {
    /// The function gave an error.
    Failed(Box<dyn Error + Send + Sync>),
    /// The function took longer than [`timeout`](crate::evaluate::Evaluate::timeout) allows.
    TimedOut(Duration),
    /// The function panicked, with this message.
    Panicked(String),
}

impl AttemptError {
    /// Returns true where the function gave an error of this type.
    #[must_use]
    pub fn is<T: Error + 'static>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }

    /// Returns the function's error, where it is of this type.
    #[must_use]
    pub fn downcast_ref<T: Error + 'static>(&self) -> Option<&T> {
        match self {
            Self::Failed(error) => error.downcast_ref(),
            Self::TimedOut(_) | Self::Panicked(_) => None,
        }
    }

    /// Returns the text of the error, for the report.
    pub(super) fn text(&self) -> String {
        let mut text = match self {
            Self::Failed(error) => with_causes(&**error),
            Self::TimedOut(limit) => format!("took longer than {limit:?}"),
            Self::Panicked(text) => text.clone(),
        };
        limits::shorten(&mut text, TEXT);
        text
    }
}

impl fmt::Display for AttemptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}

/// A `Retry` decides whether a failed attempt is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// The attempt was the last one.
    No,
    /// A further attempt follows after a random wait, which grows with each attempt.
    Yes,
    /// A further attempt follows after this time, such as that of a `Retry-After`.
    After(Duration),
}

impl Retry {
    /// Asks for a further attempt after this time, such as that of a `Retry-After`.
    #[must_use]
    pub const fn after(wait: Duration) -> Self {
        Self::After(wait)
    }

    /// Returns the wait before the next attempt, after `attempts` of them. `chance` is between 0 and 1.
    pub(super) fn wait(self, attempts: u32, chance: f64) -> Option<Duration> {
        match self {
            Self::No => None,
            Self::After(wait) => Some(wait),
            Self::Yes => {
                let doubled = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16));
                Some(doubled.min(LONGEST).mul_f64(chance.clamp(0.0, 1.0)))
            }
        }
    }
}

impl From<bool> for Retry {
    fn from(again: bool) -> Self {
        if again { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_have_chance_in_them_and_end() {
        let table = [
            (Retry::No, 1, 1.0, None),
            (Retry::Yes, 1, 1.0, Some(500)),
            (Retry::Yes, 3, 1.0, Some(2000)),
            (Retry::Yes, 3, 0.5, Some(1000)),
            (Retry::Yes, 99, 1.0, Some(30_000)),
            (Retry::after(Duration::from_secs(7)), 1, 0.1, Some(7000)),
            (Retry::from(true), 1, 1.0, Some(500)),
            (Retry::from(false), 1, 1.0, None),
        ];
        for (retry, attempts, chance, expected) in table {
            assert_eq!(
                retry.wait(attempts, chance),
                expected.map(Duration::from_millis),
                "{retry:?} after {attempts}"
            );
        }
    }

    #[test]
    fn an_error_is_known_by_its_type_and_a_panics_text_is_bounded() {
        let error = AttemptError::Failed(Box::new(fmt::Error));
        assert!(error.is::<fmt::Error>() && !error.is::<std::io::Error>());
        let panic = AttemptError::Panicked("x".repeat(100_000));
        assert!(panic.text().len() <= 1024);
    }
}
