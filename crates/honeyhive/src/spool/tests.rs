//! The files break off, have changed, or are somebody else's.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The folder goes with the test.
pub(super) struct Temporary(pub(super) PathBuf);

impl Temporary {
    pub(super) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("honeyhive-spool-{:032x}", rand::random::<u128>())))
    }

    pub(super) fn spool(&self) -> Spool {
        Spool::new(&self.0)
    }

    pub(super) fn store(&self) -> Store {
        Store::open(&self.spool(), DESTINATION, Shelf::default()).unwrap()
    }

    /// Returns a store that has taken over the files that exist.
    pub(super) fn next_store(&self) -> (Store, Found) {
        let mut store = self.store();
        let found = store.take_over(0).unwrap();
        (store, found)
    }

    pub(super) fn with_extension(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|it| it == extension))
            .collect();
        paths.sort();
        paths
    }

    pub(super) fn only_segment(&self) -> PathBuf {
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

pub(super) const DESTINATION: u32 = 7;

pub(super) fn note(number: u8) -> Note {
    Note {
        kind: Kind::Start,
        id: [number; 16],
        items: 2,
        mark: 5,
    }
}

pub(super) fn write(store: &mut Store, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        store.append(note(number), &body(number)).unwrap();
    }
}

fn body(number: u8) -> Vec<u8> {
    vec![number; 10 + usize::from(number)]
}

/// Returns everything that can be read, settled as it comes.
pub(super) fn drain(store: &mut Store) -> Vec<u8> {
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
            Next::Failed(error) => panic!("{error}"),
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
    assert!(store.shelf.has_start(&[2; 16]) && !store.shelf.has_start(&[1; 16]));
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
    let mut store = Store::open(&small, DESTINATION, Shelf::default()).unwrap();
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
        // A torn end is left by kill -9; nobody has to look at it.
        assert!(folder.is_empty(), "cut at {length}");
        restore(&segment, &whole);
    }
}

/// Writes the file as it was, for its owner only.
fn restore(segment: &Path, bytes: &[u8]) {
    drop(handles::create(segment).unwrap());
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
    // A head of another version is not read any further.
    for at in (0..whole.len()).filter(|at| *at != 7) {
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
    assert!(matches!(store.next(), Some(Next::Lost(lost)) if lost.items == [(5, 6)].into()));
    assert!(store.next().is_none());
    assert!(store.is_empty());
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
    // The first process's file was begun earlier.
    assert_eq!(drain(&mut store), [1, 2, 9]);
}

#[test]
fn another_destination_keeps_its_records() {
    let folder = Temporary::new();
    let mut other = Store::open(&folder.spool(), DESTINATION + 1, Shelf::default()).unwrap();
    write(&mut other, [1]);
    drop(other);
    let (mut store, found) = folder.next_store();
    assert_eq!((found.items, found.elsewhere), (0, 1));
    assert_eq!(drain(&mut store), [0; 0]);
    let mut other = Store::open(&folder.spool(), DESTINATION + 1, Shelf::default()).unwrap();
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
    let mut first = Store::open(&small, DESTINATION, Shelf::default()).unwrap();
    assert!(fill(&mut first) > 30);
    let mut second = Store::open(&small, DESTINATION, Shelf::default()).unwrap();
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

#[test]
fn a_session_that_went_on_after_a_take_over_is_read_in_its_order() {
    let folder = Temporary::new();
    let mut second = folder.store();
    write(&mut second, [1]);
    let mut first = folder.store();
    write(&mut first, [2]);
    drop(first); // killed
    second.take_over(0).unwrap();
    write(&mut second, [3]);
    drop(second); // killed, too
    let (mut third, _) = folder.next_store();
    assert_eq!(drain(&mut third), [1, 2, 3]);
}

#[test]
fn of_processes_that_have_gone_the_file_that_was_begun_first_comes_first() {
    let folder = Temporary::new();
    // The files are in no order of their names.
    for number in 0..20 {
        write(&mut folder.store(), [number]);
    }
    let (mut store, _) = folder.next_store();
    assert_eq!(drain(&mut store), (0..20).collect::<Vec<_>>());
}

#[test]
fn a_clock_that_was_set_back_does_not_change_the_order() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    let segment = folder.only_segment();
    drop(store);
    // The file's time is made that of tomorrow.
    let mut bytes = fs::read(&segment).unwrap();
    let mut head = [0; record::Head::BYTES];
    head.copy_from_slice(&bytes[..record::Head::BYTES]);
    let mut head = record::Head::decode(&head).unwrap();
    head.begun += 24 * 3_600 * 1_000_000_000;
    bytes[..record::Head::BYTES].copy_from_slice(&head.encode());
    fs::write(&segment, bytes).unwrap();

    let (mut store, _) = folder.next_store();
    write(&mut store, [2]);
    drop(store);
    let (mut store, _) = folder.next_store();
    assert_eq!(drain(&mut store), [1, 2]);
}

#[cfg(unix)]
#[test]
fn files_that_were_opened_to_the_group_are_delivered_and_closed_to_it_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    drop(store);
    // Kubernetes' `fsGroup` does the same whenever a pod starts.
    for extension in ["lock", "hhspool"] {
        for path in folder.with_extension(extension) {
            fs::set_permissions(path, fs::Permissions::from_mode(0o660)).unwrap();
        }
    }
    let (mut store, found) = folder.next_store();
    assert_eq!((found.items, found.strangers), (2, 0));
    let mode = fs::metadata(folder.only_segment()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert_eq!(drain(&mut store), [1]);
}

#[cfg(unix)]
#[test]
fn a_lock_that_others_can_open_is_a_strangers() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    drop(store);
    let lock = folder.with_extension("lock").remove(0);
    fs::set_permissions(lock, fs::Permissions::from_mode(0o666)).unwrap();
    let (mut store, found) = folder.next_store();
    assert_eq!((found.items, found.strangers), (0, 1));
    assert_eq!(drain(&mut store), [0; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn few_files_are_open_however_many_processes_have_gone() {
    let folder = Temporary::new();
    for number in 0..100 {
        write(&mut folder.store(), [number]);
    }
    let (mut store, found) = folder.next_store();
    assert_eq!(found.items, 200);
    let open = || {
        let links = fs::read_dir("/proc/self/fd").unwrap();
        let paths = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
        paths.filter(|path| path.starts_with(&folder.0)).count()
    };
    assert!(open() <= 3, "{} of what was taken over", open());
    let mut tickets = Vec::new();
    while let Some(Next::Record(ticket, _)) = store.next() {
        tickets.push(ticket);
        assert!(open() <= 3, "{} while it is read", open());
    }
    assert_eq!(tickets.len(), 100);
    for ticket in &tickets {
        store.settle(ticket);
    }
    assert_eq!(folder.with_extension("hhspool"), Vec::<PathBuf>::new());
}

#[test]
fn what_is_lost_is_counted_where_it_came_in_and_nothing_waits_for_it() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, 1..=3);
    let at_mark = |kind, mark| Note {
        kind,
        mark,
        ..note(4)
    };
    store.append(at_mark(Kind::Start, 6), &body(4)).unwrap();
    store.append(at_mark(Kind::Traces, 7), &body(4)).unwrap();
    let Some(Next::Record(first, _)) = store.next() else {
        panic!("a record");
    };
    let segment = folder.only_segment();
    let mut bytes = fs::read(&segment).unwrap();
    let second = record::Head::BYTES + record::Header::BYTES + body(1).len();
    bytes[second + 5] ^= 1;
    fs::write(&segment, bytes).unwrap();

    let Some(Next::Lost(lost)) = store.next() else {
        panic!("the rest is lost");
    };
    assert_eq!(lost.items, [(5, 4), (6, 2), (7, 2)].into());
    assert!(!lost.places().contains(&first.place), "it was read");
    assert!(
        !store.shelf.has_start(&[2; 16])
            && !store.shelf.has_any(&[4; 16])
            && !store.shelf.has_traces()
    );
    assert!(store.shelf.has_start(&[1; 16]), "that one is under way");
    write(&mut store, [9]);
    assert_eq!(
        folder.with_extension("hhspool").len(),
        2,
        "writing goes on elsewhere"
    );
    store.settle(&first);
    assert_eq!(store.take_set_aside(), 1);
    assert_eq!(drain(&mut store), [9]);
    assert!(store.is_empty());
}

#[test]
fn a_file_with_nothing_left_to_deliver_is_removed_whatever_is_at_its_end() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, 1..=2);
    let segment = folder.only_segment();
    let second = record::Head::BYTES + record::Header::BYTES + body(1).len();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[record::Head::BYTES] = record::DONE;
    for length in [second, second + 5] {
        drop(store);
        fs::write(&segment, &bytes[..length]).unwrap();
        let found;
        (store, found) = folder.next_store();
        assert_eq!(found.items, 0);
        assert!(store.next().is_none());
        assert_eq!(folder.with_extension("hhspool"), Vec::<PathBuf>::new());
        restore(&segment, &bytes);
    }
}

#[test]
fn the_bound_holds_where_a_neighbour_has_written_meanwhile() {
    const BOUND: u64 = 40_000;
    let folder = Temporary::new();
    let small = folder.spool().max_bytes(BOUND);
    let [mut first, mut second] =
        [(); 2].map(|()| Store::open(&small, DESTINATION, Shelf::default()).unwrap());
    while first.append(note(1), &[0; 1_000]).is_ok() {}
    assert!(matches!(
        second.append(note(2), &[0; 1_000]),
        Err(Refused::Full)
    ));
    assert_eq!(folder.with_extension("hhspool").len(), 3);
}

#[test]
fn an_owner_is_not_made_where_files_cannot_be_locked() {
    let folder = Temporary::new();
    let opened = folder::Folder::open(&folder.0).unwrap();
    let unsupported = |_: &fs::File| Err(std::io::ErrorKind::Unsupported.into());
    let error = opened.new_owner_with(unsupported).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    assert!(folder.is_empty());
    let error = opened.new_owner_with(|_| Ok(false)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

#[cfg(unix)]
#[test]
fn a_folder_whose_files_anybody_can_open_cannot_be_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Temporary::new();
    drop(folder.store());
    let probe = folder.0.join("probe");
    fs::write(&probe, "").unwrap();
    // A share that knows no modes shows every file like this.
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o777)).unwrap();
    let error = handles::User::of(&fs::metadata(&probe).unwrap()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}

#[test]
fn a_file_that_cannot_be_opened_now_is_read_later_and_one_that_is_gone_is_lost() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    drop(store);
    let (mut store, _) = folder.next_store();
    let segment = folder.only_segment();
    let moved = folder.0.join("moved");
    fs::rename(&segment, &moved).unwrap();
    fs::create_dir(&segment).unwrap();
    assert!(matches!(store.next(), Some(Next::Failed(_))));
    fs::remove_dir(&segment).unwrap();
    fs::rename(&moved, &segment).unwrap();
    assert!(matches!(store.next(), Some(Next::Record(..))));

    let (mut store, _) = (folder.store(), drop(store));
    store.take_over(0).unwrap();
    fs::remove_file(folder.only_segment()).unwrap();
    assert!(matches!(store.next(), Some(Next::Lost(lost)) if lost.items == [(0, 2)].into()));
    assert!(store.is_empty());
}

#[test]
fn a_lock_that_was_removed_is_made_again() {
    let folder = Temporary::new();
    let mut store = folder.store();
    write(&mut store, [1]);
    fs::remove_file(folder.with_extension("lock").remove(0)).unwrap();
    assert_eq!(store.take_over(0).unwrap(), Found::default());
    write(&mut store, [2]);
    let (_, found) = folder.next_store();
    assert_eq!(found, Found::default(), "it is all the first one's");
    assert_eq!(drain(&mut store), [1, 2]);
}

/// The numbers are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005) + 1;
        (self.0 >> 33) as usize % bound
    }
}

/// The process lives, and remembers what it has read of each session last.
struct Process {
    store: Store,
    read: [u32; 4],
}

impl Process {
    fn start(folder: &Temporary) -> Self {
        let settings = folder.spool().max_bytes(4 * 1024 * 1024);
        let mut store = Store::open(&settings, DESTINATION, Shelf::default()).unwrap();
        store.take_over(0).unwrap();
        Self {
            store,
            read: [0; 4],
        }
    }

    /// Writes a record; a file has room for a few of them.
    fn write(&mut self, session: usize, number: u32) {
        let mut body = vec![0; 50_000];
        body[..4].copy_from_slice(&number.to_le_bytes());
        let note = note(session as u8);
        self.store.append(note, &body).unwrap();
    }

    /// Reads the next record; it must be later than all before of its session.
    fn read(&mut self) -> Option<(Ticket, usize, u32)> {
        let Next::Record(ticket, body) = self.store.next()? else {
            panic!("it can be read");
        };
        let session = usize::from(ticket.note.id[0]);
        let number = u32::from_le_bytes(body[..4].try_into().unwrap());
        assert!(number > self.read[session], "{number} of {session}");
        self.read[session] = number;
        Some((ticket, session, number))
    }
}

#[test]
fn each_session_is_read_in_its_order_whoever_is_killed_and_whoever_takes_over() {
    for seed in 1..=20 {
        let (folder, mut chance) = (Temporary::new(), Chance(seed));
        let mut processes = [(); 3].map(|()| Process::start(&folder));
        let mut written = [0; 4];
        let mut holders = [0; 4];
        let mut settled = [(); 4].map(|()| std::collections::BTreeSet::new());
        for _ in 0..100 {
            let which = chance.below(processes.len());
            match chance.below(6) {
                0 => {
                    // Another process takes over the sessions, and goes on with them.
                    let next = (which + 1 + chance.below(2)) % 3;
                    processes[which] = Process::start(&Temporary::new());
                    processes[next].store.take_over(0).unwrap();
                    processes[which] = Process::start(&folder);
                    let holders = holders.iter_mut().filter(|holder| **holder == which);
                    holders.for_each(|holder| *holder = next);
                }
                1 | 2 => {
                    if let Some((ticket, session, number)) = processes[which].read()
                        && chance.below(4) > 0
                    {
                        processes[which].store.settle(&ticket);
                        settled[session].insert(number);
                    }
                }
                _ => {
                    let session = chance.below(4);
                    written[session] += 1;
                    processes[holders[session]].write(session, written[session]);
                }
            }
        }
        drop(processes);
        let mut last = Process::start(&folder);
        while let Some((ticket, session, number)) = last.read() {
            last.store.settle(&ticket);
            settled[session].insert(number);
        }
        for (settled, written) in settled.iter().zip(written) {
            assert!(settled.iter().copied().eq(1..=written), "seed {seed}");
        }
        drop(last);
        assert!(folder.is_empty(), "seed {seed}");
    }
}
