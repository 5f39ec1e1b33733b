//! [`IdMap`] and [`IdSet`] are keyed by ids and numbers.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// The map is keyed by ids or numbers, and is asked dozens of times a session: SipHash would take a tenth of the
/// delivery thread's time. The seed is the process's own, since clients choose ids.
pub(super) type IdMap<K, V> = HashMap<K, V, RandomState>;

/// The set holds ids or numbers, hashed in the same way.
pub(super) type IdSet<K> = HashSet<K, RandomState>;
