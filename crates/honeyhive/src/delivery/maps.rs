//! [`IdMap`] and [`IdSet`]: maps by ids and numbers.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// A map by ids or numbers, which is asked dozens of times a session: SipHash would take a tenth of the delivery thread's
/// time. The seed is the process's own, since clients choose ids.
pub(super) type IdMap<K, V> = HashMap<K, V, RandomState>;

/// A set of ids or numbers, hashed in the same way.
pub(super) type IdSet<K> = HashSet<K, RandomState>;
