//! [`Recent`] remembers the latest entries.

use std::collections::VecDeque;
use std::hash::Hash;

use crate::delivery::maps::IdMap;

/// A memory has this many entries at the most.
const MEMORY: usize = 16_384;

/// The memory keeps the latest entries, up to a bound.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    entries: IdMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub(super) fn new() -> Self {
        Self {
            entries: IdMap::default(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key, value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MEMORY
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }
}
