use std::any::type_name;
use std::fmt::Debug;
use std::ops::Deref;

use serde::Serialize;

use super::probe::{Behind, Probe};
use super::recorded::Recorded;
use crate::model::text::bounded;

/// Texts that are cut are compared up to here.
const CUT: usize = 32 * 1024;

/// The sixth choice is a wrapper around one value that shows the value: by a derived `Debug`, or by one that writes the
/// same. Another `Debug` may be there to hide the value, and is recorded itself.
pub trait ByWrapped<Kind: ?Sized> {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<W: Shown<Kind> + Debug, Kind: ?Sized> ByWrapped<Kind> for &&&Probe<'_, W> {
    fn __honeyhive_json(&self) -> Recorded {
        let shown = bounded(format_args!("{:?}", self.0));
        let wrapped = self.0.wrapped(&shown);
        wrapped.unwrap_or_else(|| Recorded::text(shown))
    }
}

/// The type is a wrapper such as `axum::Json`, or a reference to one, around a value that can show itself. A wrapper is
/// known by its `Deref` to a value of its own size: there is nothing beside that value. `Kind` keeps the implementations
/// apart.
pub trait Shown<Kind: ?Sized> {
    /// Returns the recorded form of the value, where there is nothing beside it and the wrapper's `Debug` shows it.
    fn wrapped(&self, shown: &str) -> Option<Recorded>;
}

impl<W: Deref<Target: Serialize + Debug + Sized>> Shown<()> for W {
    fn wrapped(&self, shown: &str) -> Option<Recorded> {
        let value = self.deref();
        let is_all = size_of::<W>() == size_of::<W::Target>();
        let is_shown = || is_around(shown, &bounded(format_args!("{value:?}")));
        (is_all && is_shown()).then(|| Recorded::of(value))
    }
}

/// Returns whether the text of a wrapper is a name, and in brackets the text of the value; of a text that was cut the
/// beginnings count.
pub(super) fn is_around(wrapper: &str, value: &str) -> bool {
    let Some(at) = wrapper.find(['(', '{']) else {
        return false;
    };
    let (name, inside) = wrapper.split_at(at);
    let is_name = |name: &str| name.chars().all(|it| it.is_alphanumeric() || it == '_');
    // `Wrap(value)`, or `Wrap { field: value }`.
    let inside = match inside.strip_prefix("{ ") {
        Some(fields) => fields.split_once(": ").map(|(_, value)| value),
        None => inside.strip_prefix('('),
    };
    let Some(inside) = inside.filter(|_| is_name(name.trim_end())) else {
        return false;
    };
    if let Some(end) = inside.strip_prefix(value) {
        return matches!(end, ")" | " }");
    }
    let (inside, value) = (inside.as_bytes().get(..CUT), value.as_bytes().get(..CUT));
    value.is_some() && value == inside
}

/// The eighth choice is a wrapper without `Debug`. A generic one most often lacks that because its value does, and is the
/// object or the list in it; another may be there to hide the value, and goes by the name of its type.
pub trait ByHiddenWrapped<Kind: ?Sized> {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<W: Wrapper<Kind>, Kind: ?Sized> ByHiddenWrapped<Kind> for &Probe<'_, W> {
    fn __honeyhive_json(&self) -> Recorded {
        let wrapped = self.0.wrapped();
        wrapped
            .filter(Recorded::is_open)
            .unwrap_or_else(|| Recorded::text(type_name::<W>()))
    }
}

/// The type is a generic wrapper, or a reference to one, as [`Shown`] is, around a value without `Debug`.
pub trait Wrapper<Kind: ?Sized> {
    /// Returns the recorded form of the value, where there is nothing beside it.
    fn wrapped(&self) -> Option<Recorded>;
}

impl<W: Deref<Target: Serialize + Sized>> Wrapper<()> for W {
    fn wrapped(&self) -> Option<Recorded> {
        let is_all = size_of::<W>() == size_of::<W::Target>();
        let is_generic = type_name::<W>().contains('<');
        (is_all && is_generic).then(|| Recorded::of(self.deref()))
    }
}

macro_rules! leads_to_a_wrapper {
    ($($leads:ty),*) => {$(
        impl<W: Shown<Kind>, Kind: ?Sized> Shown<Behind<Kind>> for $leads {
            fn wrapped(&self, shown: &str) -> Option<Recorded> {
                W::wrapped(self, shown)
            }
        }

        impl<W: Wrapper<Kind>, Kind: ?Sized> Wrapper<Behind<Kind>> for $leads {
            fn wrapped(&self) -> Option<Recorded> {
                W::wrapped(self)
            }
        }
    )*};
}

leads_to_a_wrapper!(&W, &mut W);
