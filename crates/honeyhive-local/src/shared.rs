//! What the connections and the handle have in common.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::changes::Changes;
use crate::config::{Config, Limits};
use crate::fault::Plan;
use crate::store::Store;

/// The state of a server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) changes: Changes,
    store: Mutex<Store>,
    faults: Mutex<Plan>,
}

impl Shared {
    pub(crate) fn new(config: Config, limits: Limits) -> Self {
        Self {
            config,
            changes: Changes::default(),
            store: Mutex::new(Store::new(limits)),
            faults: Mutex::default(),
        }
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Store) -> T) -> T {
        read(&self.store())
    }

    /// Changes the store, then wakes whoever waits for that.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let result = change(&mut self.store());
        self.changes.announce();
        result
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Plan> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
