//! [`Marks`] tell from our own attributes what becomes of a span that has ended; the attributes are read in one pass.

use opentelemetry::KeyValue;

use crate::attributes::{ROUTING_PREFIX, SUPPRESSED};
#[cfg(feature = "model-calls")]
use crate::model_span::FILLED;

/// The dot is here in our routing attributes; those of an event have an underscore there.
const DOT: usize = ROUTING_PREFIX.len() - 1;

/// The marks decide about a span that has ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The span is not sent.
    pub(crate) is_suppressed: bool,
    /// The span was filled in by somebody else than the program with data of a model call, which is to be merged.
    #[cfg(feature = "model-calls")]
    pub(crate) is_filled: bool,
}

impl Marks {
    pub(crate) fn of(attributes: &[KeyValue]) -> Self {
        let mut marks = Self::default();
        for attribute in attributes {
            let key = attribute.key.as_str();
            // The dot is checked first: few attributes have the prefix, and one byte rules most others out.
            if key.as_bytes().get(DOT) == Some(&b'.') && key.starts_with(ROUTING_PREFIX) {
                marks.is_suppressed |= key == SUPPRESSED;
                #[cfg(feature = "model-calls")]
                {
                    marks.is_filled |= key.starts_with(FILLED);
                }
            }
        }
        marks
    }
}
