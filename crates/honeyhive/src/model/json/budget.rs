//! [`Budget`] decides how much of a value is taken, and what is left of it where the bounds are used up.

use std::cell::{Cell, RefCell};

use serde_json::Value;

use crate::model::limits::{self, EVENT_BYTES, VALUE_BYTES};

/// The bounds decide how much of a value is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The values that hold no others are counted.
    values: usize,
    /// The bytes are those in texts and keys.
    bytes: usize,
}

impl Bounds {
    /// An event has these bounds.
    pub(crate) const EVENT: Self = Self {
        values: 64 * 1024,
        bytes: EVENT_BYTES,
    };

    /// Returns the bounds of so many attributes and so many bytes.
    #[cfg(any(feature = "macros", test))]
    pub(crate) const fn of(values: usize, bytes: usize) -> Self {
        Self {
            values,
            bytes: if bytes < EVENT_BYTES {
                bytes
            } else {
                EVENT_BYTES
            },
        }
    }
}

/// The rest of the bounds is shared by the parts of one value.
#[derive(Debug)]
pub(super) struct Budget {
    values: Cell<usize>,
    bytes: Cell<usize>,
    is_cut: Cell<bool>,
    is_text: Cell<bool>,
    is_octet: Cell<bool>,
    /// A part that stops before its end leaves its items here: it can give its owner only an error.
    left: RefCell<Option<Value>>,
}

impl Budget {
    #[inline]
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self {
            values: Cell::new(bounds.values),
            bytes: Cell::new(bounds.bytes),
            is_cut: Cell::new(false),
            is_text: Cell::new(false),
            is_octet: Cell::new(false),
            left: RefCell::new(None),
        }
    }

    #[inline]
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    #[inline]
    pub(super) fn cut(&self) {
        self.is_cut.set(true);
    }

    #[inline]
    pub(super) fn is_text(&self) -> bool {
        self.is_text.get()
    }

    #[inline]
    pub(super) fn say_text(&self, is_text: bool) {
        self.is_text.set(is_text);
    }

    /// Notes that a single byte was taken last.
    pub(super) fn say_octet(&self) {
        self.is_octet.set(true);
    }

    #[inline]
    pub(super) fn take_octet(&self) -> bool {
        self.is_octet.take()
    }

    #[inline]
    pub(super) fn is_used_up(&self) -> bool {
        self.values.get() == 0 || self.bytes.get() == 0
    }

    /// Returns the number of values that may still be taken.
    #[inline]
    pub(super) fn values(&self) -> usize {
        self.values.get()
    }

    /// Takes one value from the rest.
    #[inline]
    pub(super) fn count(&self) {
        self.values.set(self.values.get().saturating_sub(1));
    }

    /// Takes a number of bytes from the rest.
    #[inline]
    pub(super) fn weigh(&self, bytes: usize) {
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
    }

    /// Returns as much of a text as there is room for.
    #[inline]
    pub(super) fn text(&self, text: &str) -> String {
        let limit = VALUE_BYTES.min(self.bytes.get());
        let taken = if limits::is_over(text, limit) {
            self.cut();
            limits::cut(text, limit)
        } else {
            text.to_owned()
        };
        self.weigh(taken.len());
        taken
    }

    /// Takes a value that is counted elsewhere.
    pub(super) fn unchanged<T>(&self, take: impl FnOnce() -> T) -> T {
        let (values, bytes) = (self.values.get(), self.bytes.get());
        let taken = take();
        self.values.set(values);
        self.bytes.set(bytes);
        taken
    }

    pub(super) fn leave(&self, value: Value) {
        self.cut();
        *self.left.borrow_mut() = Some(value);
    }

    #[inline]
    pub(super) fn take_left(&self) -> Option<Value> {
        // Every place that leaves something out also sets the cut mark.
        if self.is_cut() {
            self.left.borrow_mut().take()
        } else {
            None
        }
    }
}
