//! [`Budget`] decides how much of a traced function is recorded.

use std::ops::ControlFlow::{self, Break, Continue};

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{KeyValue, Value};

use super::active::Active;
use crate::attributes::MAX_ATTRIBUTES;

/// The budget is the room that is left for recordings of a span.
#[derive(Debug)]
pub(super) struct Budget {
    attributes: usize,
    bytes: usize,
    is_truncated: bool,
    has_mark: bool,
    has_failed: bool,
}

impl Budget {
    /// The half is that of a span's attributes, so that inputs never crowd out the outputs and the error.
    pub(super) const HALF: usize = MAX_ATTRIBUTES / 2;
    /// So many attributes are left to the processor, to marks and to the error.
    const RESERVED: usize = 32;

    const fn new(attributes: usize, bytes: usize) -> Self {
        Self {
            attributes,
            bytes,
            is_truncated: false,
            has_mark: false,
            has_failed: false,
        }
    }

    pub(super) const fn inputs() -> Self {
        Self::new(Self::HALF, usize::MAX)
    }

    pub(super) const fn outputs() -> Self {
        Self::new(Self::HALF - Self::RESERVED, usize::MAX)
    }

    pub(super) const fn stream() -> Self {
        const BYTES: usize = 64 * 1024;
        Self::new(Self::HALF - Self::RESERVED, BYTES)
    }

    pub(super) fn truncate(&mut self) {
        self.is_truncated = true;
    }

    /// Notes that a part was left out, while there is room for more.
    pub(super) fn mark(&mut self) {
        self.has_mark = true;
    }

    pub(super) const fn has_mark(&self) -> bool {
        self.is_truncated || self.has_mark
    }

    pub(super) const fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Returns the bytes that are left.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes so many bytes, or what is left of them.
    pub(super) fn weigh(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Returns true for the first error.
    pub(super) fn is_first_error(&mut self) -> bool {
        !std::mem::replace(&mut self.has_failed, true)
    }

    /// Takes the room of one more attribute. An attribute that does not fit is left out, and so is everything after it.
    #[inline]
    pub(super) fn admit(&mut self, attribute: &KeyValue) -> ControlFlow<()> {
        let bytes = attribute.key.as_str().len() + value_bytes(&attribute.value);
        if self.is_truncated || self.attributes == 0 || self.bytes < bytes {
            self.truncate();
            return Break(());
        }
        self.attributes -= 1;
        self.bytes -= bytes;
        Continue(())
    }

    /// Does the same as [`admit`](Self::admit), leaving so many attributes to others.
    #[inline]
    pub(super) fn admit_leaving(&mut self, others: usize, attribute: &KeyValue) -> ControlFlow<()> {
        if self.attributes <= others {
            self.mark();
            return Break(());
        }
        self.admit(attribute)
    }

    /// Marks on the span that outputs were left out.
    pub(super) fn close(&self, active: &Active) {
        if self.has_mark() {
            let mark = KeyValue::new("honeyhive_outputs.truncated", true);
            active.cx.span().set_attribute(mark);
        }
    }
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        _ => 8,
    }
}
