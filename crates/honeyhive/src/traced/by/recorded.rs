use std::any::type_name;
use std::fmt::Debug;

use serde::Serialize;
use serde_json::Value as Json;

use crate::model::json::{self, Bounds};
use crate::model::text::bounded;
use crate::traced::budget::Budget;

/// A value is recorded in this form.
#[derive(Debug, PartialEq)]
pub struct Recorded {
    pub(in crate::traced) json: Json,
    /// The flag tells whether a part was left out.
    pub(in crate::traced) is_cut: bool,
    /// The flag marks a text that may be a piece of one.
    pub(in crate::traced) is_text: bool,
}

impl Recorded {
    /// No value has more parts than there is room for.
    const BOUNDS: Bounds = Bounds::of(Budget::HALF, usize::MAX);

    pub(super) const NOTHING: Self = Self {
        json: Json::Null,
        is_cut: false,
        is_text: false,
    };

    /// Returns the list of a tuple's parts, each recorded by its best way.
    #[must_use]
    pub fn list<const N: usize>(parts: [Self; N]) -> Self {
        Self {
            is_cut: parts.iter().any(|part| part.is_cut),
            is_text: false,
            json: parts.map(|part| part.json).into_iter().collect(),
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            json: Json::String(text.into()),
            is_cut: false,
            is_text: false,
        }
    }

    /// Returns whether the value is an object, or a list of other things than numbers: keys are lists of bytes.
    pub(super) fn is_open(&self) -> bool {
        match &self.json {
            Json::Array(items) => !items.iter().any(Json::is_number),
            other => other.is_object(),
        }
    }

    pub(super) fn shown(value: &impl Debug) -> Self {
        Self::text(bounded(format_args!("{value:?}")))
    }

    #[inline]
    pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        match json::take(value, Self::BOUNDS) {
            Ok(taken) => Self {
                json: taken.json,
                is_cut: taken.is_cut,
                is_text: taken.is_text,
            },
            // A value that cannot be serialised at all goes by the name of its type.
            Err(_) => Self::text(type_name::<T>()),
        }
    }
}
