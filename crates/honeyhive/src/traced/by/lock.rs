use std::sync::{Arc, Mutex, RwLock, TryLockError};

use serde::Serialize;

use super::probe::Probe;
use super::recorded::Recorded;
use crate::model::json::BEHIND_A_LOCK;

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
