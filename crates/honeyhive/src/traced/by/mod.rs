//! The compiler chooses the trait by which a value is recorded.
//!
//! The expansion calls `(&&&&&&&&&Probe(&value)).__honeyhive_json()`. Method lookup takes the first method in the order
//! of automatic references whose bound holds, so the kind with most references is preferred. The expansion imports this
//! module as a whole for that; no trait elsewhere has methods of these names. The choices, in their order:
//!
//! 1. [`BySlice`], 2. [`ByLock`], 3. [`BySerialize`], 4. [`ByBytes`], 5. [`ByHandle`], 6. [`ByWrapped`], 7. [`ByDebug`],
//! 8. [`ByHiddenWrapped`], 9. [`ByName`].

mod array;
mod buffer;
mod failure;
mod handle;
mod lock;
mod outcome;
mod probe;
mod recorded;
#[cfg(test)]
mod tests;
mod wrapper;

pub use array::{Array, BySlice};
pub use buffer::{Buffer, ByBytes};
pub use failure::{
    Failure, TextByDebug, TextByDisplay, TextByName, TextOfAny, TextOfAnySend, TextOfError,
};
pub use handle::{ByHandle, Handle};
pub use lock::{ByLock, Lock};
pub use outcome::{OfResult, OfValue, Outcome};
pub use probe::{Behind, ByDebug, ByName, BySerialize, Probe};
pub use recorded::Recorded;
pub use wrapper::{ByHiddenWrapped, ByWrapped, Shown, Wrapper};
