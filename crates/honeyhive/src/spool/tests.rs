//! Files that break off, that have changed, or that are somebody else's.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A folder that goes with the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("honeyhive-spool-{:032x}", rand::random::<u128>())))
    }

    fn spool(&self) -> Spool {
        Spool::new(&self.0)
    }

    fn store(&self) -> Store {
        Store::open(&self.spool(), DESTINATION).unwrap()
    }

    /// A store that has taken over what is there.
    fn next_store(&self) -> (Store, Found) {
        let mut store = self.store();
        let found = store.take_over(0).unwrap();
        (store, found)
    }

    fn with_extension(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|it| it == extension))
            .collect();
        paths.sort();
        paths
    }

    fn only_segment(&self) -> PathBuf {
        let mut segments = self.with_extension("hhspool");
        assert_eq!(segments.len(), 1, "{segments:?}");
        segments.remove(0)
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const DESTINATION: u32 = 7;

fn note(number: u8) -> Note {
    Note {
        kind: Kind::Start,
        id: [number; 16],
        items: 2,
        mark: 5,
    }
}

fn write(store: &mut Store, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        store.append(note(number), &body(number)).unwrap();
    }
}

fn body(number: u8) -> Vec<u8> {
    vec![number; 10 + usize::from(number)]
}

/// Everything that can be read, settled as it comes.
fn drain(store: &mut Store) -> Vec<u8> {
    let mut numbers = Vec::new();
    while let Some(next) = store.next() {
        match next {
            Next::Record(ticket, read) => {
                let number = ticket.note.id[0];
                assert_eq!(read, body(number));
                numbers.push(number);
                store.settle(&ticket);
            }
            Next::Unreadable(ticket) => store.settle(&ticket),
            Next::Lost(_) => {}
        }
    }
    numbers
}

#[test]
fn what_was_written_is_read_in_its_order_by_this_process_and_the_next() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, 1..=3);
    let Some(Next::Record(first, _)) = store.next() else {
        panic!("a record");
    };
    assert_eq!((first.note.id[0], first.note.mark), (1, 5));
    store.settle(&first);
    assert!(store.has_start(&[2; 16]) && !store.has_start(&[1; 16]));
    drop(store); // as by kill -9: only the lock goes

    let (mut store, found) = folder.next_store();
    assert_eq!(found.items, 4);
    assert_eq!(drain(&mut store), [2, 3]);
    assert!(store.is_empty());
    drop(store);
    assert!(folder.is_empty());
}

#[test]
fn many_files_are_one_order_and_go_one_by_one() {
    let folder = Temporary::new();
    let small = folder.spool().max_bytes(512 * 1024);
    let mut store = Store::open(&small, DESTINATION).unwrap();
    let large = vec![0; 20_000];
    for number in 0..10 {
        store.append(note(number), &large).unwrap();
    }
    assert!(folder.with_extension("hhspool").len() >= 5);
    let mut read = Vec::new();
    while let Some(Next::Record(ticket, _)) = store.next() {
        read.push(ticket.note.id[0]);
        store.settle(&ticket);
    }
    assert_eq!(read, (0..10).collect::<Vec<_>>());
    assert_eq!(folder.with_extension("hhspool"), Vec::<PathBuf>::new());
}

#[test]
fn a_file_that_breaks_off_anywhere_gives_all_whole_records() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, 1..=3);
    let segment = folder.only_segment();
    let whole = fs::read(&segment).unwrap();
    drop(store);
    let ends: Vec<_> = (1..=3u8)
        .scan(record::Head::BYTES, |end, number| {
            *end += record::Header::BYTES + body(number).len();
            Some(*end)
        })
        .collect();
    assert_eq!(ends.last(), Some(&whole.len()));
    for length in 0..whole.len() {
        fs::write(&segment, &whole[..length]).unwrap();
        let (mut store, found) = folder.next_store();
        let readable = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(found.items, 2 * readable as u64, "cut at {length}");
        let is_torn = length > record::Head::BYTES && !ends.contains(&length);
        assert_eq!(found.lost > 0, is_torn, "cut at {length}");
        assert_eq!(drain(&mut store).len(), readable, "cut at {length}");
        drop(store);
        // A torn end is what kill -9 leaves; nobody has to look at it.
        assert!(folder.is_empty(), "cut at {length}");
        restore(&segment, &whole);
    }
}

/// As the file was, for its owner only.
fn restore(segment: &Path, bytes: &[u8]) {
    drop(folder::create(segment).unwrap());
    fs::write(segment, bytes).unwrap();
}

#[test]
fn a_flipped_bit_costs_what_it_is_in_and_the_file_is_set_aside() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, 1..=3);
    let segment = folder.only_segment();
    let whole = fs::read(&segment).unwrap();
    drop(store);
    let second = record::Head::BYTES + record::Header::BYTES + body(1).len();
    let third = second + record::Header::BYTES + body(2).len();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x20;
        fs::write(&segment, &flipped).unwrap();
        let (mut store, found) = folder.next_store();
        let read = drain(&mut store);
        let is_state = [record::Head::BYTES, second, third].contains(&at);
        let is_whole = is_state && read == [1, 2, 3];
        let set_aside = found.set_aside + store.take_set_aside();
        drop(store);
        assert_eq!(set_aside, u64::from(!is_whole), "byte {at}");
        if at >= third {
            assert!(read.starts_with(&[1, 2]), "byte {at}: {read:?}");
        } else if at >= second + record::Header::BYTES {
            assert_eq!(read, [1, 3], "byte {at}");
        }
        let corrupt = folder.with_extension("corrupt");
        assert_eq!(corrupt.len(), usize::from(!is_whole), "byte {at}");
        corrupt
            .iter()
            .for_each(|path| fs::remove_file(path).unwrap());
        assert!(folder.is_empty(), "byte {at}");
        restore(&segment, &whole);
    }
}

#[test]
fn a_file_that_changes_under_our_hands_is_noticed() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, 1..=3);
    let segment = folder.only_segment();
    let mut bytes = fs::read(&segment).unwrap();
    let header = record::Head::BYTES + 5;
    bytes[header] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert!(matches!(store.next(), Some(Next::Lost(6))));
    assert!(store.next().is_none());
    // Writing goes on.
    write(&mut store, [4]);
    drain(&mut store);
}

#[test]
fn what_is_not_ours_is_left_alone_or_set_aside() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    drop(store);
    let foreign = folder
        .0
        .join(format!("{}-00000001.hhspool", "a1".repeat(16)));
    restore(&foreign, &[b'x'; 1000]);
    let others = ["notes.txt", "old.hhspool", "x.lock", "ümläut-1.hhspool"];
    for name in others {
        fs::write(folder.0.join(name), name).unwrap();
    }
    fs::create_dir(
        folder
            .0
            .join(format!("{}-00000001.hhspool", "b2".repeat(16))),
    )
    .unwrap();

    let (mut store, found) = folder.next_store();
    assert_eq!((found.items, found.set_aside), (2, 1));
    assert_eq!(found.strangers, 1, "the folder with a file's name");
    assert_eq!(drain(&mut store), [1]);
    for name in others {
        assert_eq!(fs::read_to_string(folder.0.join(name)).unwrap(), name);
    }
    assert_eq!(folder.with_extension("corrupt").len(), 1);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it_and_what_others_could_have_written_is_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    let segment = folder.only_segment();
    assert_eq!(mode(&segment), 0o600);
    assert_eq!(mode(&folder.with_extension("lock")[0]), 0o600);
    drop(store);
    fs::set_permissions(&segment, fs::Permissions::from_mode(0o644)).unwrap();
    let (mut store, found) = folder.next_store();
    assert_eq!((found.items, found.strangers), (0, 1));
    assert_eq!(drain(&mut store), [0; 0]);
    let target = folder.0.join("elsewhere");
    fs::rename(&segment, &target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&target, &segment).unwrap();
    assert_eq!(store.take_over(0).unwrap().strangers, 1, "a link");
}

#[test]
fn what_another_process_owns_is_taken_when_it_is_gone_and_not_before() {
    let folder = Temporary::new();
    let mut alive = folder.store();
    write(&mut alive, [1]);
    let (mut store, found) = folder.next_store();
    assert_eq!(found, Found::default());
    write(&mut store, [9]);
    write(&mut alive, [2]);
    drop(alive);
    assert_eq!(store.take_over(3).unwrap().items, 4);
    assert_eq!(store.take_over(3).unwrap(), Found::default());
    assert_eq!(drain(&mut store), [9, 1, 2]);
}

#[test]
fn another_destination_keeps_its_records() {
    let folder = Temporary::new();
    let mut other = Store::open(&folder.spool(), DESTINATION + 1).unwrap();
    write(&mut other, [1]);
    drop(other);
    let (mut store, found) = folder.next_store();
    assert_eq!((found.items, found.elsewhere), (0, 1));
    assert_eq!(drain(&mut store), [0; 0]);
    let mut other = Store::open(&folder.spool(), DESTINATION + 1).unwrap();
    assert_eq!(other.take_over(0).unwrap().items, 2);
    assert_eq!(drain(&mut other), [1]);
}

#[test]
fn the_bound_holds_for_all_who_share_the_folder() {
    const BOUND: u64 = 40_000;
    let folder = Temporary::new();
    let small = folder.spool().max_bytes(BOUND);
    let fill = |store: &mut Store| {
        let mut written = 0;
        while store.append(note(1), &[0; 1_000]).is_ok() {
            written += 1;
        }
        written
    };
    let mut first = Store::open(&small, DESTINATION).unwrap();
    assert!(fill(&mut first) > 30);
    let mut second = Store::open(&small, DESTINATION).unwrap();
    assert_eq!(fill(&mut second), 0);
    let used = |path: &PathBuf| fs::metadata(path).unwrap().len();
    let bytes: u64 = folder.with_extension("hhspool").iter().map(used).sum();
    assert!(bytes <= BOUND, "{bytes}");
    while let Some(Next::Record(ticket, _)) = first.next() {
        first.settle(&ticket);
    }
    second.take_over(0).unwrap();
    assert!(fill(&mut second) > 30, "there is room again");
}
