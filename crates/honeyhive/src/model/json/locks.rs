//! Values behind a lock are not recorded: `serde` takes the lock, and its holder may be waiting for the very function
//! that is recorded.

/// The mark stands for a value behind a lock.
pub(crate) const BEHIND_A_LOCK: &str = "[behind a lock]";

/// Returns whether a type is a lock, or a reference, a box or an option of one, as far as its name tells: serialising
/// it would take the lock. Types of the program that hold a lock are serialised field by field, and each field is
/// checked.
#[inline]
pub(super) fn takes_a_lock(type_name: &str) -> bool {
    // A lock has a parameter, and nearly all that is recorded has none.
    type_name.ends_with('>') && is_lock(type_name)
}

fn is_lock(mut name: &str) -> bool {
    /// These types serialise as their contents.
    const THROUGH: [&str; 11] = [
        "Arc",
        "Box",
        "Cow",
        "Option",
        "Pin",
        "Rc",
        "RefCell",
        "Reverse",
        "Saturating",
        "Weak",
        "Wrapping",
    ];
    const LOCKS: [&str; 8] = [
        "DashMap",
        "DashSet",
        "FairMutex",
        "Mutex",
        "ReentrantLock",
        "ReentrantMutex",
        "RwLock",
        "SpinMutex",
    ];
    loop {
        name = name.trim_start_matches('&');
        name = name.strip_prefix("mut ").unwrap_or(name);
        let Some((path, parameters)) = name.split_once('<') else {
            return false;
        };
        let last = path.rsplit("::").next().unwrap_or(path);
        if LOCKS.contains(&last) {
            return true;
        }
        if !THROUGH.contains(&last) {
            return false;
        }
        name = parameters;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::any::type_name;
    use std::cell::RefCell;
    use std::cmp::Reverse;
    use std::collections::HashMap;
    use std::num::Wrapping;
    use std::sync::{Arc, Mutex, RwLock, Weak};

    #[test]
    fn a_lock_is_known_by_its_name_through_what_only_leads_to_it() {
        for name in [
            type_name::<Mutex<u8>>(),
            type_name::<&Mutex<Vec<u8>>>(),
            type_name::<&mut Arc<RwLock<HashMap<u8, u8>>>>(),
            type_name::<Option<Box<Mutex<dyn Send>>>>(),
            type_name::<RefCell<Mutex<u8>>>(),
            type_name::<&Reverse<Arc<RwLock<u8>>>>(),
            type_name::<Weak<Mutex<u8>>>(),
            type_name::<Wrapping<Mutex<u8>>>(),
            "parking_lot::lock_api::Mutex<parking_lot::RawMutex, u8>",
        ] {
            assert!(takes_a_lock(name), "{name}");
        }
        for name in [
            type_name::<u8>(),
            type_name::<&str>(),
            type_name::<Vec<Mutex<u8>>>(),
            type_name::<HashMap<String, Mutex<u8>>>(),
            type_name::<std::sync::MutexGuard<'_, u8>>(),
            type_name::<Option<String>>(),
            type_name::<(Mutex<u8>, u8)>(),
            "app::Mutexes<u8>",
        ] {
            assert!(!takes_a_lock(name), "{name}");
        }
    }
}
