//! [`ApiKey`]: a key that cannot be printed.

use std::fmt;

/// A HoneyHive key. It has no `Display`, and its `Debug` shows nothing of the value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    pub(crate) const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the `Authorization` header and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(<redacted>)")
    }
}
