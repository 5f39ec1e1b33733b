use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::probe::{Behind, Probe};
use super::recorded::Recorded;

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
