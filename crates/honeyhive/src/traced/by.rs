//! The compiler chooses the trait by which a value is recorded.
//!
//! The expansion calls `(&&&&&&&&&Probe(&value)).__honeyhive_json()`. Method lookup takes the first method in the order
//! of automatic references whose bound holds, so the kind with most references is preferred. The expansion imports this
//! module as a whole for that; no trait elsewhere has methods of these names.

use std::any::type_name;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock, TryLockError};

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::budget::Budget;
use crate::HoneyHiveTracer;
use crate::model::causes::with_causes;
use crate::model::json::{self, BEHIND_A_LOCK, Bounds};
use crate::model::text::bounded;
#[cfg(feature = "model-calls")]
use crate::model_call::ModelCall;
use crate::session::Session;
use crate::span::Span;

/// Texts that are cut are compared up to here.
const CUT: usize = 32 * 1024;

/// A value is recorded in this form.
#[derive(Debug, PartialEq)]
pub struct Recorded {
    pub(super) json: Json,
    /// The flag tells whether a part was left out.
    pub(super) is_cut: bool,
    /// The flag marks a text that may be a piece of one.
    pub(super) is_text: bool,
}

impl Recorded {
    /// No value has more parts than there is room for.
    const BOUNDS: Bounds = Bounds::of(Budget::HALF, usize::MAX);

    const NOTHING: Self = Self {
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

    fn text(text: impl Into<String>) -> Self {
        Self {
            json: Json::String(text.into()),
            is_cut: false,
            is_text: false,
        }
    }

    /// Returns whether the value is an object, or a list of other things than numbers: keys are lists of bytes.
    fn is_open(&self) -> bool {
        match &self.json {
            Json::Array(items) => !items.iter().any(Json::is_number),
            other => other.is_object(),
        }
    }

    fn shown(value: &impl Debug) -> Self {
        Self::text(bounded(format_args!("{value:?}")))
    }

    #[inline]
    fn of<T: Serialize + ?Sized>(value: &T) -> Self {
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

/// The probe records an argument or a result: as a slice, through a lock that nobody holds, by `Serialize`, as bytes, not
/// at all, as the one value that is in it, by `Debug`, or by the name of its type.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

/// The first choice is a slice: `serde` knows no arrays of more than 32.
pub trait BySlice {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<A: Array<Item: Serialize>> BySlice for &&&&&&&&Probe<'_, A> {
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::of(self.0.items())
    }
}

/// The type is an array, or leads to one.
pub trait Array {
    /// The elements are of this type.
    type Item;

    /// Returns the elements.
    fn items(&self) -> &[Self::Item];
}

impl<T, const N: usize> Array for [T; N] {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

macro_rules! leads_to_an_array {
    ($($leads:ty),*) => {$(
        impl<A: Array> Array for $leads {
            type Item = A::Item;

            fn items(&self) -> &[A::Item] {
                A::items(self)
            }
        }
    )*};
}

leads_to_an_array!(&A, &mut A, Arc<A>, Box<A>);

/// The second choice is the value behind a lock.
pub trait ByLock {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<L: Lock<Held: Serialize + Sized>> ByLock for &&&&&&&Probe<'_, L> {
    fn __honeyhive_json(&self) -> Recorded {
        self.0
            .look(Recorded::of)
            .unwrap_or_else(|| Recorded::text(BEHIND_A_LOCK))
    }
}

/// The third choice is `Serialize`.
pub trait BySerialize {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<T: Serialize> BySerialize for &&&&&&Probe<'_, T> {
    #[inline]
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::of(self.0)
    }
}

/// The fourth choice is bytes that are no `Serialize`, which `Debug` writes out one by one.
pub trait ByBytes<Kind: ?Sized> {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<B: Buffer<Kind>, Kind: ?Sized> ByBytes<Kind> for &&&&&Probe<'_, B> {
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::of(&self.0.octets())
    }
}

/// The type is a buffer (`bytes::Bytes`), leads to one, or holds several. A buffer is known by its `Deref`: texts and
/// secrets lend their bytes by `AsRef`, too, and have a `Debug` that is to be kept. `Kind` keeps the implementations apart.
pub trait Buffer<Kind: ?Sized> {
    /// Returns the bytes as they are recorded.
    fn octets(&self) -> impl Serialize;
}

impl<B: Deref<Target = [u8]>> Buffer<[u8]> for B {
    fn octets(&self) -> impl Serialize {
        Octets(self)
    }
}

impl<B: Buffer<Kind>, Kind: ?Sized> Buffer<Behind<Kind>> for Option<B> {
    fn octets(&self) -> impl Serialize {
        self.as_ref().map(B::octets)
    }
}

impl<B: Buffer<Kind>, Kind: ?Sized> Buffer<Behind<Kind>> for Vec<B> {
    fn octets(&self) -> impl Serialize {
        Each(self, PhantomData)
    }
}

macro_rules! leads_to_a_buffer {
    ($($leads:ty),*) => {$(
        impl<B: Buffer<Kind>, Kind: ?Sized> Buffer<Behind<Kind>> for $leads {
            fn octets(&self) -> impl Serialize {
                B::octets(self)
            }
        }
    )*};
}

leads_to_a_buffer!(&B, &mut B, Arc<B>, Box<B>, Rc<B>);

/// The buffers of a list are shown one by one.
struct Each<'a, B, Kind: ?Sized>(&'a [B], PhantomData<Kind>);

impl<B: Buffer<Kind>, Kind: ?Sized> Serialize for Each<'_, B, Kind> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(B::octets))
    }
}

/// The bytes are shown as those of a type of their own, however few they are.
struct Octets<'a>(&'a [u8]);

impl Serialize for Octets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// The fifth choice records nothing: a handle tells nothing of what a function does.
pub trait ByHandle<Kind: ?Sized> {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<H: Handle<Kind>, Kind: ?Sized> ByHandle<Kind> for &&&&Probe<'_, H> {
    fn __honeyhive_json(&self) -> Recorded {
        if H::is_all() {
            Recorded::NOTHING
        } else {
            Recorded::text(type_name::<H>())
        }
    }
}

/// The type is a handle of this crate, or dereferences to one (an adapter's `CurrentSession`). `Kind` keeps the
/// implementations apart.
pub trait Handle<Kind: ?Sized> {
    /// Returns whether there is nothing beside the handle: the type is no larger.
    fn is_all() -> bool {
        true
    }
}

/// The `Kind` is that of a type which dereferences to one of another `Kind`.
#[derive(Debug)]
pub struct Behind<Kind: ?Sized>(PhantomData<Kind>);

impl Handle<()> for HoneyHiveTracer {}
impl Handle<()> for Session {}
impl Handle<()> for Span {}
#[cfg(feature = "model-calls")]
impl Handle<()> for ModelCall {}

impl<H: Deref<Target: Handle<Kind> + Sized>, Kind: ?Sized> Handle<Behind<Kind>> for H {
    fn is_all() -> bool {
        size_of::<H>() <= size_of::<H::Target>() && H::Target::is_all()
    }
}

impl<H: Handle<Kind>, Kind: ?Sized> Handle<Option<Behind<Kind>>> for Option<H> {
    fn is_all() -> bool {
        H::is_all()
    }
}

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
fn is_around(wrapper: &str, value: &str) -> bool {
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

/// The seventh choice is `Debug`.
pub trait ByDebug {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<T: Debug> ByDebug for &&Probe<'_, T> {
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::shown(self.0)
    }
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

/// The last choice is the name of the type.
pub trait ByName {
    /// Returns the recorded form.
    fn __honeyhive_json(&self) -> Recorded;
}

impl<T> ByName for Probe<'_, T> {
    fn __honeyhive_json(&self) -> Recorded {
        Recorded::text(type_name::<T>())
    }
}

/// The type is a lock of the standard library, or leads to one.
pub trait Lock {
    /// The lock holds a value of this type.
    type Held: ?Sized;

    /// Looks at the value behind the lock; `None` where that would have to wait.
    fn look<T>(&self, look: impl FnOnce(&Self::Held) -> T) -> Option<T>;
}

impl<T: ?Sized> Lock for Mutex<T> {
    type Held = T;

    fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        match self.try_lock() {
            Ok(held) => Some(look(&held)),
            Err(TryLockError::Poisoned(held)) => Some(look(&held.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<T: ?Sized> Lock for RwLock<T> {
    type Held = T;

    fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        match self.try_read() {
            Ok(held) => Some(look(&held)),
            Err(TryLockError::Poisoned(held)) => Some(look(&held.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

macro_rules! leads_to_a_lock {
    ($($leads:ty),*) => {$(
        impl<L: Lock + ?Sized> Lock for $leads {
            type Held = L::Held;

            fn look<R>(&self, look: impl FnOnce(&L::Held) -> R) -> Option<R> {
                L::look(self, look)
            }
        }
    )*};
}

leads_to_a_lock!(&L, &mut L, Arc<L>, Box<L>);

/// The probe writes an error: with its causes where it has them, else by `Display`, else by `Debug`, else by the name
/// of its type.
#[derive(Debug)]
pub struct Failure<'a, T>(pub &'a T);

/// The first choice is an error with its causes.
pub trait TextOfError {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: Error> TextOfError for &&&&&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        with_causes(self.0)
    }
}

/// The second choice is boxes of any error, and the types of `anyhow` and `eyre`.
pub trait TextOfAny {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: AsRef<dyn Error>> TextOfAny for &&&&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        with_causes(self.0.as_ref())
    }
}

/// The text is that of a boxed or wrapped error that may go to another thread, with its causes.
pub trait TextOfAnySend {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: AsRef<dyn Error + Send + Sync>> TextOfAnySend for &&&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        with_causes(self.0.as_ref())
    }
}

/// The next choice is `Display`.
pub trait TextByDisplay {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: Display> TextByDisplay for &&Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        bounded(format_args!("{}", self.0))
    }
}

/// The next choice is `Debug`.
pub trait TextByDebug {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T: Debug> TextByDebug for &Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        bounded(format_args!("{:?}", self.0))
    }
}

/// The last choice is the name of the type.
pub trait TextByName {
    /// Returns the error text.
    fn __honeyhive_text(&self) -> String;
}

impl<T> TextByName for Failure<'_, T> {
    fn __honeyhive_text(&self) -> String {
        type_name::<T>().to_owned()
    }
}

/// The outcome is the result of a function or an item of a stream: a `Result`, or a value of any other type.
#[derive(Debug)]
pub struct Outcome<'a, T>(pub &'a T);

/// The first choice is a `Result`.
pub trait OfResult<'a, T, E> {
    /// Returns the value or the error.
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a E>;
}

impl<'a, T, E> OfResult<'a, T, E> for &Outcome<'a, Result<T, E>> {
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a E> {
        self.0.as_ref()
    }
}

/// The last choice is a value of any type.
pub trait OfValue<'a, T> {
    /// Returns the value.
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a Infallible>;
}

impl<'a, T> OfValue<'a, T> for Outcome<'a, T> {
    fn __honeyhive_outcome(&self) -> Result<&'a T, &'a Infallible> {
        Ok(self.0)
    }
}

#[cfg(test)]
#[expect(
    clippy::needless_borrow,
    reason = "written as the expansion writes it, whatever the type"
)]
mod tests {
    use super::*;

    struct Opaque;

    #[derive(Debug)]
    struct Shown;

    #[derive(Debug)]
    struct Caused(std::fmt::Error);

    impl Display for Caused {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("asking failed")
        }
    }

    impl Error for Caused {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn of_any<T>(value: &T) -> Json {
        (&&&&&&&&&Probe(value)).__honeyhive_json().json
    }

    #[test]
    fn the_best_way_that_there_is_is_taken() {
        assert_eq!(
            (&&&&&&&&&Probe(&7_i64)).__honeyhive_json().json,
            Json::from(7)
        );
        assert_eq!(
            (&&&&&&&&&Probe(&Shown)).__honeyhive_json().json,
            Json::from("Shown")
        );
        let name = (&&&&&&&&&Probe(&Opaque)).__honeyhive_json().json;
        assert!(name.as_str().is_some_and(|name| name.ends_with("::Opaque")));
        // Only bounds count in generic code.
        assert_eq!(of_any(&7_i64), Json::from("i64"));
    }

    /// The value lends bytes, as `bytes::Bytes` does without its feature `serde`.
    #[derive(Debug)]
    struct Lent(Vec<u8>);

    impl Deref for Lent {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            &self.0
        }
    }

    #[test]
    fn a_buffer_is_its_length_and_its_beginning() {
        let buffer = Lent(vec![0xc8; 1_000_000]);
        let beginning = "c8 ".repeat(16);
        let expected = Json::from(format!("1000000 bytes: {beginning}…"));
        for recorded in [
            (&&&&&&&&&Probe(&buffer)).__honeyhive_json(),
            (&&&&&&&&&Probe(&&buffer)).__honeyhive_json(),
            (&&&&&&&&&Probe(&Arc::new(Lent(vec![0xc8; 1_000_000])))).__honeyhive_json(),
        ] {
            assert_eq!((recorded.json, recorded.is_cut), (expected.clone(), true));
        }
        let few = (&&&&&&&&&Probe(&Lent(vec![1, 2]))).__honeyhive_json();
        assert_eq!(
            (few.json, few.is_cut),
            (Json::from("2 bytes: 01 02"), false)
        );
    }

    #[test]
    fn a_buffer_may_be_missing_be_one_of_several_and_have_owners() {
        let lent = || Lent(vec![1, 2]);
        let one = Json::from("2 bytes: 01 02");
        let several = Json::from(vec![one.clone(); 2]);
        let missing = None::<Lent>;
        for (recorded, expected) in [
            ((&&&&&&&&&Probe(&Some(lent()))).__honeyhive_json(), &one),
            ((&&&&&&&&&Probe(&Some(&lent()))).__honeyhive_json(), &one),
            (
                (&&&&&&&&&Probe(&&Some(Arc::new(lent())))).__honeyhive_json(),
                &one,
            ),
            ((&&&&&&&&&Probe(&missing)).__honeyhive_json(), &Json::Null),
            ((&&&&&&&&&Probe(&Rc::new(lent()))).__honeyhive_json(), &one),
            (
                (&&&&&&&&&Probe(&vec![lent(), lent()])).__honeyhive_json(),
                &several,
            ),
            (
                (&&&&&&&&&Probe(&Some(vec![lent(), lent()]))).__honeyhive_json(),
                &several,
            ),
        ] {
            assert_eq!(recorded.json, *expected);
        }
    }

    #[cfg(feature = "model-calls")]
    #[test]
    fn what_web_servers_hand_over_is_a_buffer() {
        let expected = Json::from("3 bytes: 01 02 03");
        let bytes = bytes::Bytes::from_static(&[1, 2, 3]);
        assert_eq!((&&&&&&&&&Probe(&bytes)).__honeyhive_json().json, expected);
        let mutable = bytes::BytesMut::from(&bytes[..]);
        assert_eq!((&&&&&&&&&Probe(&mutable)).__honeyhive_json().json, expected);
    }

    #[test]
    fn what_only_lends_its_bytes_shows_itself() {
        struct Hidden(Vec<u8>);

        impl Debug for Hidden {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("Sensitive")
            }
        }

        impl AsRef<[u8]> for Hidden {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        let recorded = (&&&&&&&&&Probe(&Hidden(vec![1]))).__honeyhive_json();
        assert_eq!(recorded.json, Json::from("Sensitive"));
        let recorded = (&&&&&&&&&Probe(&"text")).__honeyhive_json();
        assert_eq!(recorded.json, Json::from("text"));
    }

    /// The wrapper is around one value, and shows itself.
    #[derive(Debug)]
    struct Wrap<T>(T);

    impl<T> Deref for Wrap<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    /// The value has another beside the one that is lent.
    #[derive(Debug)]
    struct More(Vec<i32>, #[expect(dead_code, reason = "is shown")] i32);

    impl Deref for More {
        type Target = Vec<i32>;

        fn deref(&self) -> &Vec<i32> {
            &self.0
        }
    }

    #[test]
    fn a_wrapper_is_what_is_in_it_unless_there_is_more_or_it_hides_that() {
        /// A value that is not to be seen.
        struct Hidden<T>(T);

        impl<T> Debug for Hidden<T> {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("Hidden(…)")
            }
        }

        impl<T> Deref for Hidden<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        let list = Json::from(vec![1, 2]);
        let wrapped = Wrap(vec![1, 2]);
        assert_eq!((&&&&&&&&&Probe(&wrapped)).__honeyhive_json().json, list);
        assert_eq!((&&&&&&&&&Probe(&&wrapped)).__honeyhive_json().json, list);
        let more = (&&&&&&&&&Probe(&More(vec![1], 2))).__honeyhive_json();
        assert_eq!(more.json, Json::from("More([1], 2)"));
        let text = (&&&&&&&&&Probe(&Wrap("a \"b\"".to_owned()))).__honeyhive_json();
        assert_eq!(text.json, Json::from("a \"b\""));
        let number = (&&&&&&&&&Probe(&Wrap(7))).__honeyhive_json();
        assert_eq!(number.json, Json::from(7));
        let hidden = (&&&&&&&&&Probe(&Hidden("s".to_owned()))).__honeyhive_json();
        assert_eq!(hidden.json, Json::from("Hidden(…)"));
        let hidden = (&&&&&&&&&Probe(&Hidden(vec!["s", "t"]))).__honeyhive_json();
        assert_eq!(hidden.json, Json::from("Hidden(…)"));
        let flag = (&&&&&&&&&Probe(&Wrap(true))).__honeyhive_json();
        assert_eq!(flag.json, Json::from(true));
    }

    #[test]
    fn a_wrapper_is_unwrapped_where_its_debug_is_that_of_the_value_in_brackets() {
        #[derive(Debug, Serialize)]
        struct Login {
            user: &'static str,
            password: &'static str,
        }

        let rows: &[(&str, &str, bool)] = &[
            ("Wrap(7)", "7", true),
            ("Wrap { inner: 7 }", "7", true),
            ("Path(67e55044-10b1)", "67e55044-10b1", true),
            ("Json(User)", "User", true),
            ("Wrap('a')", "'a'", true),
            ("Sha256Key(<hidden>)", "[5]", false),
            ("Sha5", "5", false),
            ("key is (7)", "7", false),
            (
                "Masked { user: \"ann\", password: *** }",
                "Login { user: \"ann\" }",
                false,
            ),
            ("Masked(7, 8)", "7", false),
            ("", "", false),
        ];
        for (wrapper, value, expected) in rows {
            assert_eq!(is_around(wrapper, value), *expected, "{wrapper}");
        }
        let long = Wrap(Login {
            user: "ann",
            password: "long",
        });
        let json = (&&&&&&&&&Probe(&long)).__honeyhive_json().json;
        assert_eq!(json, serde_json::json!({"user": "ann", "password": "long"}));
        let long = "é".repeat(100_000);
        let recorded = (&&&&&&&&&Probe(&Wrap(vec![long]))).__honeyhive_json();
        assert!(recorded.json.is_array());
    }

    #[test]
    fn a_generic_wrapper_without_debug_is_the_object_in_it_and_any_other_is_named() {
        #[derive(Serialize)]
        struct Reply {
            text: &'static str,
        }

        struct Quiet<T>(T);

        impl<T> Deref for Quiet<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        struct Key([u8; 2]);

        impl Deref for Key {
            type Target = [u8; 2];

            fn deref(&self) -> &[u8; 2] {
                &self.0
            }
        }

        let reply = (&&&&&&&&&Probe(&Quiet(Reply { text: "a" }))).__honeyhive_json();
        assert_eq!(reply.json, serde_json::json!({"text": "a"}));
        let list = (&&&&&&&&&Probe(&Quiet(vec![Reply { text: "a" }]))).__honeyhive_json();
        assert_eq!(list.json, serde_json::json!([{"text": "a"}]));
        let named = |recorded: Recorded, name: &str| {
            let text = recorded.json.as_str().map(str::to_owned);
            assert!(text.is_some_and(|text| text.ends_with(name)), "{name}");
        };
        named(
            (&&&&&&&&&Probe(&Quiet("s".to_owned()))).__honeyhive_json(),
            "Quiet<alloc::string::String>",
        );
        named(
            (&&&&&&&&&Probe(&Quiet(vec![1_u8]))).__honeyhive_json(),
            "Quiet<alloc::vec::Vec<u8>>",
        );
        named((&&&&&&&&&Probe(&Key([1, 2]))).__honeyhive_json(), "Key");
    }

    #[test]
    fn a_handle_with_something_beside_it_is_no_handle() {
        #[derive(Serialize)]
        struct Conversation {
            #[serde(skip)]
            session: Session,
            question: &'static str,
        }

        impl Deref for Conversation {
            type Target = Session;

            fn deref(&self) -> &Session {
                &self.session
            }
        }

        let tracer = HoneyHiveTracer::disabled();
        let session = tracer.create_session("chat");
        let shared = Arc::new(session.clone());
        let handle = (&&&&&&&&&Probe(&shared)).__honeyhive_json();
        assert_eq!(handle, Recorded::NOTHING);
        let conversation = Conversation {
            session,
            question: "why",
        };
        let recorded = (&&&&&&&&&Probe(&conversation)).__honeyhive_json();
        assert_eq!(recorded.json, serde_json::json!({"question": "why"}));
    }

    #[test]
    fn a_number_beyond_64_bits_is_text() {
        let value = (&&&&&&&&&Probe(&u128::MAX)).__honeyhive_json().json;
        assert_eq!(value, Json::from(u128::MAX.to_string()));
    }

    #[test]
    fn a_number_that_is_none_is_named_and_nothing_is_nothing() {
        for (value, expected) in [
            (f64::NAN, Json::from("nan")),
            (f64::INFINITY, "inf".into()),
            (f64::NEG_INFINITY, "-inf".into()),
            (0.5, 0.5.into()),
        ] {
            assert_eq!((&&&&&&&&&Probe(&value)).__honeyhive_json().json, expected);
        }
        assert_eq!(
            (&&&&&&&&&Probe(&None::<u8>)).__honeyhive_json().json,
            Json::Null
        );
        assert_eq!((&&&&&&&&&Probe(&())).__honeyhive_json().json, Json::Null);
    }

    #[test]
    fn errors_are_told_apart_from_values() {
        let failed: Result<i32, &str> = Err("no");
        assert_eq!((&&Outcome(&failed)).__honeyhive_outcome(), Err(&"no"));
        assert_eq!((&&Outcome(&5)).__honeyhive_outcome(), Ok(&5));
        assert_eq!((&&&&&&Failure(&"no")).__honeyhive_text(), "no");
        assert_eq!((&&&&&&Failure(&Shown)).__honeyhive_text(), "Shown");
        let name = (&&&&&&Failure(&Opaque)).__honeyhive_text();
        assert!(name.ends_with("::Opaque"));
    }

    #[test]
    fn errors_are_told_with_their_causes_boxed_or_not() {
        let error = || std::io::Error::other(Caused(std::fmt::Error));
        let expected = "asking failed: an error occurred when formatting an argument";
        assert_eq!((&&&&&&Failure(&error())).__honeyhive_text(), expected);
        let boxed: Box<dyn Error> = Box::new(error());
        assert_eq!((&&&&&&Failure(&boxed)).__honeyhive_text(), expected);
        let boxed: Box<dyn Error + Send + Sync> = Box::new(error());
        assert_eq!((&&&&&&Failure(&boxed)).__honeyhive_text(), expected);
        let shared = Arc::new(error());
        assert_eq!((&&&&&&Failure(&shared)).__honeyhive_text(), expected);
    }
}
