//! Several processes share one folder, versions come and go, and strangers have files there.

use std::fs;
use std::path::Path;

use super::tests::{DESTINATION, Temporary, drain, note, write};
use super::*;

const BODY: [u8; 1_000] = [0; 1_000];

fn bytes(folder: &Temporary) -> u64 {
    let entries = fs::read_dir(&folder.0).unwrap();
    let lengths = entries.map(|entry| entry.unwrap());
    let files = lengths.filter(|entry| entry.path().extension().is_some_and(|it| it != "lock"));
    files.map(|entry| entry.metadata().unwrap().len()).sum()
}

/// Writes in turns until no store has room; returns the bytes on disk.
fn fill(folder: &Temporary, stores: &mut [Store]) -> u64 {
    while stores.iter_mut().fold(false, |any, store| {
        any | store.append(note(1), &BODY).is_ok()
    }) {}
    bytes(folder)
}

#[test]
fn the_bound_holds_while_several_processes_write_at_a_time() {
    const BOUND: u64 = 320 * 1024;
    let folder = Temporary::new();
    let small = folder.spool().max_bytes(BOUND);
    let mut stores: Vec<_> = (0..6)
        .map(|_| Store::open(&small, DESTINATION, Shelf::default()).unwrap())
        .collect();
    let used = fill(&folder, &mut stores);
    assert!(used <= BOUND, "{used}");
    assert!(used > BOUND - 6 * 2_000, "room is wasted: {used}");
    // Stores that have gone give their room to the others.
    stores.truncate(1);
    let mut next = Store::open(&small, DESTINATION, Shelf::default()).unwrap();
    next.take_over(0).unwrap();
    while let Some(Next::Record(ticket, _)) = next.next() {
        next.settle(&ticket);
    }
    let used = fill(&folder, &mut stores);
    assert!((BOUND - 6 * 2_000..=BOUND).contains(&used), "{used}");
}

#[test]
fn the_bound_holds_while_threads_write_at_the_same_time() {
    const BOUND: u64 = 200 * 1024;
    let folder = Temporary::new();
    let small = folder.spool().max_bytes(BOUND);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut store = Store::open(&small, DESTINATION, Shelf::default()).unwrap();
            scope.spawn(move || {
                for _ in 0..200 {
                    let _ = store.append(note(1), &BODY);
                }
                std::mem::forget(store); // as by kill -9
            });
        }
    });
    let used = bytes(&folder);
    assert!(used <= BOUND, "{used}");
}

#[test]
fn who_has_nothing_to_deliver_keeps_no_room_from_others() {
    const BOUND: u64 = 64 * 1024;
    let folder = Temporary::new();
    let small = folder.spool().max_bytes(BOUND);
    let mut idle: Vec<_> = (0..8)
        .map(|_| Store::open(&small, DESTINATION, Shelf::default()).unwrap())
        .collect();
    for store in &mut idle {
        write(store, [1]);
        drain(store);
        assert!(store.is_empty());
    }
    let mut busy = [Store::open(&small, DESTINATION, Shelf::default()).unwrap()];
    assert!(fill(&folder, &mut busy) > BOUND - 2_000);
}

#[test]
fn files_that_were_set_aside_make_room_for_what_can_be_delivered() {
    const BOUND: u64 = 64 * 1024;
    let folder = Temporary::new();
    let small = folder.spool().max_bytes(BOUND);
    let mut store = Store::open(&small, DESTINATION, Shelf::default()).unwrap();
    for number in 1..=3 {
        let name = format!("{}-{number:08}.hhspool.corrupt", "a1".repeat(16));
        fs::write(folder.0.join(name), vec![b'x'; 20_000]).unwrap();
    }
    write(&mut store, [1]);
    assert_eq!(
        folder.with_extension("corrupt").len(),
        2,
        "there was room for so many"
    );
    let used = fill(&folder, &mut [store]);
    assert!((BOUND - 2_000..=BOUND).contains(&used), "{used}");
    assert_eq!(folder.with_extension("corrupt").len(), 0);
}

#[test]
fn what_a_newer_version_has_left_waits_for_one() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    drop(store);
    let segment = folder.only_segment();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[7] += 1; // the version
    fs::write(&segment, &bytes).unwrap();
    let (mut store, found) = folder.next_store();
    assert_eq!((found.items, found.set_aside), (0, 0));
    assert_eq!(drain(&mut store), [0; 0]);
    assert_eq!(fs::read(folder.only_segment()).unwrap(), bytes, "as it was");
    assert_eq!(folder.with_extension("lock").len(), 1, "and its owner's");
}

#[cfg(unix)]
mod unix {
    use std::io::ErrorKind;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn refusal(folder: &Path) -> std::io::Error {
        Store::open(&Spool::new(folder), DESTINATION, Shelf::default()).unwrap_err()
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        let folder = Temporary::new();
        fs::create_dir(&folder.0).unwrap();
        for mode in [0o777, 0o1777, 0o702, 0o703] {
            set_mode(&folder.0, mode);
            let error = refusal(&folder.0);
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{mode:o}");
            assert!(error.to_string().contains("folder of its own"), "{error}");
        }
        // The folder's group may have access, as with Kubernetes' `fsGroup`, and others may read.
        for mode in [0o700, 0o2770, 0o755] {
            set_mode(&folder.0, mode);
            drop(folder.store());
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let folder = Temporary::new();
        fs::create_dir(&folder.0).unwrap();
        if chown(&folder.0, Some(12_345), None).is_err() {
            return; // Only an administrator can give a folder away.
        }
        assert_eq!(refusal(&folder.0).kind(), ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_link_is_no_folder() {
        let (folder, target) = (Temporary::new(), Temporary::new());
        fs::create_dir(&target.0).unwrap();
        set_mode(&target.0, 0o700);
        symlink(&target.0, &folder.0).unwrap();
        let error = refusal(&folder.0);
        fs::remove_file(&folder.0).unwrap();
        assert!(error.to_string().contains("link"), "{error}");
    }

    #[test]
    fn a_lock_that_is_a_link_is_a_strangers() {
        let folder = Temporary::new();
        let mut store = folder.store();
        write(&mut store, [1]);
        drop(store);
        let lock = folder.with_extension("lock").remove(0);
        let victim = folder.0.join("victim");
        fs::write(&victim, "precious").unwrap();
        set_mode(&victim, 0o600);
        fs::remove_file(&lock).unwrap();
        symlink(&victim, &lock).unwrap();
        let (mut store, found) = folder.next_store();
        assert_eq!((found.items, found.strangers), (0, 1));
        assert_eq!(drain(&mut store), [0; 0]);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_file_that_becomes_a_link_is_not_followed() {
        let folder = Temporary::new();
        let mut store = folder.store();
        write(&mut store, [1, 2]);
        let segment = folder.only_segment();
        let victim = folder.0.join("victim");
        fs::copy(&segment, &victim).unwrap();
        let before = fs::read(&victim).unwrap();
        drop(store.next());
        drop(store);
        let (mut store, _) = folder.next_store();
        let segment = folder.only_segment();
        fs::remove_file(&segment).unwrap();
        symlink(&victim, &segment).unwrap();
        while let Some(next) = store.next() {
            match next {
                Next::Record(ticket, _) | Next::Unreadable(ticket) => store.settle(&ticket),
                Next::Lost(_) => {}
                Next::Failed(_) => break,
            }
        }
        assert_eq!(
            fs::read(&victim).unwrap(),
            before,
            "nothing was written through the link"
        );
    }
}
