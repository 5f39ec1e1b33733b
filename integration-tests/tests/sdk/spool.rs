//! The spool takes to disk what memory cannot hold and what is pending at shutdown, and delivers it from there, by the
//! same process or by the next, whatever moment this one is killed at.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;
use honeyhive::{
    DeliveryStats, DropPolicy, Enrichment, FlushError, HoneyHiveTracer, HoneyHiveTracerBuilder,
    NewSession, OtlpProtocol, SessionId, SessionTransport, Spool,
};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use integration_tests::program::again;
use serde_json::json;

/// The tree is that of a session `chat` with a span `work`.
const WORKED: &str = "chat\n  work [tool]\n";

/// A `Folder` for the spool goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("spool-{}", uuid::Uuid::new_v4().simple());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn spool(&self) -> Spool {
        Spool::new(&self.0)
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.0) else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|it| it == extension))
            .collect()
    }

    fn bytes(&self) -> u64 {
        let segments = self.files("hhspool");
        segments
            .iter()
            .map(|it| fs::metadata(it).unwrap().len())
            .sum()
    }

    #[track_caller]
    fn assert_empty(&self) {
        let left: Vec<_> = fs::read_dir(&self.0).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts a HoneyHive that is down until it is healed.
fn server_that_is_down() -> LocalServer {
    let server = server();
    server.fail(Fault::status(503));
    server
}

fn spooling(server: &LocalServer, folder: &Folder) -> HoneyHiveTracer {
    spooling_with(server, folder, |builder| builder)
}

fn spooling_with(
    server: &LocalServer,
    folder: &Folder,
    change: impl FnOnce(HoneyHiveTracerBuilder) -> HoneyHiveTracerBuilder,
) -> HoneyHiveTracer {
    let builder = builder(server).spool(folder.spool());
    change(builder).build().unwrap()
}

/// Waits for what the delivery thread does by itself.
#[track_caller]
fn wait_for(tracer: &HoneyHiveTracer, mut condition: impl FnMut(&DeliveryStats) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition(&tracer.stats()) {
        assert!(Instant::now() < deadline, "{:?}", tracer.stats());
        std::thread::yield_now();
    }
}

/// Wakes the delivery thread; the result does not matter.
fn nudge(tracer: &HoneyHiveTracer) {
    drop(tracer.force_flush_blocking(Duration::ZERO));
}

/// Shuts down in no time; all that was pending must be on disk. Returns how much that was.
#[track_caller]
fn stop(tracer: &HoneyHiveTracer) -> u64 {
    let report = match tracer.shutdown_blocking(Duration::ZERO) {
        Ok(report) | Err(FlushError::TimedOut { report, .. }) => report,
        Err(error) => panic!("{error}"),
    };
    let stats = tracer.stats();
    assert_balanced(tracer);
    assert_eq!(report.pending, report.spooled, "{report:?} {stats:?}");
    assert_eq!(stats.pending, stats.spooled, "{stats:?}");
    assert_eq!(stats.pending_bytes, 0, "{stats:?}");
    stats.spooled
}

#[test]
fn what_is_pending_at_shutdown_is_delivered_by_the_next_start() {
    for protocol in PROTOCOLS {
        let (server, folder) = (server_that_is_down(), Folder::new());
        let with = || {
            builder(&server)
                .spool(folder.spool())
                .otlp_protocol(protocol)
        };
        let first = with().build().unwrap();
        let chat = first.create_session(NewSession::named("chat").inputs(json!({"n": 0.1 + 0.2})));
        chat.in_scope(|| drop(first.span("work").start()));
        chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
        drop(first.span("outside").start());
        assert_eq!(stop(&first), 5, "two sessions, two spans and an update");
        assert_eq!(first.stats().dropped.total(), 0);

        server.heal();
        let next = with().build().unwrap();
        flush(&next);
        let stats = next.stats();
        assert_eq!((stats.accepted, stats.delivered, stats.spooled), (5, 5, 0));
        assert_eq!(server.tree(&chat.id().to_string()), WORKED, "{protocol:?}");
        let chat = session(&server, chat.id());
        assert_eq!(chat.metrics["score"], 1);
        assert_eq!(chat.inputs["n"], json!(0.1 + 0.2));
        assert_eq!(server.orphans(), []);
        event(&server, "outside");
        assert_eq!(stop(&next), 0);
        folder.assert_empty();
    }
}

#[test]
fn without_rest_starts_the_spans_come_first_from_disk_too() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let with = || {
        builder(&server)
            .session_transport(SessionTransport::Otlp)
            .spool(folder.spool())
    };
    let first = with().build().unwrap();
    let chat = first.create_session("chat");
    chat.in_scope(|| drop(first.span("work").start()));
    chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
    assert!(stop(&first) >= 2, "the span and what was added");

    server.heal();
    server.fail(Fault::status(503).on(Endpoint::Traces).times(2));
    let next = with().build().unwrap();
    flush(&next);
    assert_tree(&server, &chat, WORKED);
    assert_eq!(session(&server, chat.id()).metrics["score"], 1);
    assert_eq!(count(&server, &update(&chat)), 1, "never before its spans");
    assert_eq!(server.orphans(), []);
    assert_eq!(stop(&next), 0);
    folder.assert_empty();
}

#[test]
fn what_is_under_way_at_shutdown_is_delivered_by_the_next_start() {
    let (server, folder) = (server(), Folder::new());
    server.fail(Fault::hang().on(Endpoint::Sessions).times(1));
    let first = spooling_with(&server, &folder, |builder| builder.api_timeout(NEVER));
    let chat = first.create_session("chat");
    chat.in_scope(|| drop(first.span("work").start()));
    nudge(&first);
    assert!(server.wait_until_blocking(PATIENCE, |it| it.stats().requests == 1));
    chat.enrich(Enrichment::new().metadata(json!({"later": true})));
    assert_eq!(stop(&first), 3);

    let next = spooling(&server, &folder);
    flush(&next);
    assert_tree(&server, &chat, WORKED);
    assert_eq!(session(&server, chat.id()).metadata["later"], true);
    assert_eq!(next.stats().delivered, 3);
}

#[test]
fn an_outage_that_memory_cannot_hold_loses_nothing_and_keeps_its_order() {
    const SESSIONS: u64 = 2_000;
    const ROOM: usize = 400;
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = spooling_with(&server, &folder, |builder| {
        builder
            .max_pending_items(ROOM)
            .coalesce_window(Duration::from_millis(1))
            .otlp_protocol(OtlpProtocol::HttpJson)
    });
    let mut chats = Vec::new();
    for number in 0..SESSIONS {
        let chat = tracer.create_session(format!("chat {number}"));
        chat.in_scope(|| drop(tracer.span("work").start()));
        chat.enrich(Enrichment::new().metadata(json!({"step": 1, "first": number})));
        chats.push(chat);
        if number % 50 == 0 {
            nudge(&tracer);
            wait_for(&tracer, |stats| {
                stats.pending - stats.spooled < ROOM as u64 / 2
            });
            assert_balanced(&tracer);
        }
    }
    assert!(tracer.stats().spooled > SESSIONS, "{:?}", tracer.stats());
    server.heal();
    for chat in &chats {
        chat.enrich(Enrichment::new().metadata(json!({"step": 2})));
        wait_for(&tracer, |stats| {
            stats.pending - stats.spooled < ROOM as u64 / 2
        });
    }
    flush(&tracer);

    let stats = tracer.stats();
    assert_eq!(stats.delivered, 4 * SESSIONS, "{stats:?}");
    assert_balanced(&tracer);
    assert_eq!(server.orphans(), []);
    assert_eq!(assert_starts_before_spans(&server) as u64, SESSIONS);
    for (number, chat) in chats.iter().enumerate() {
        let metadata = session(&server, chat.id()).metadata;
        assert_eq!(
            (&metadata["step"], &metadata["first"]),
            (&json!(2), &json!(number))
        );
    }
    assert_eq!(stop(&tracer), 0);
    folder.assert_empty();
}

#[test]
fn an_outage_that_lasts_is_on_disk_though_memory_has_room() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = spooling_with(&server, &folder, |builder| {
        builder
            .coalesce_window(Duration::from_millis(1))
            .otlp_protocol(OtlpProtocol::HttpJson)
    });
    for _ in 0..50 {
        let chat = tracer.create_session("chat");
        chat.in_scope(|| drop(tracer.span("work").start()));
        chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
    }
    wait_for(&tracer, |stats| stats.spooled == 3 * 50);
    assert_balanced(&tracer);
    server.heal();
    flush(&tracer);
    assert_eq!(tracer.stats().delivered, 3 * 50);
    assert_eq!(assert_starts_before_spans(&server), 50);
    assert_eq!(stop(&tracer), 0);
    folder.assert_empty();
}

#[test]
fn what_comes_later_of_a_session_on_disk_comes_after_it() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let first = spooling(&server, &folder);
    let chat = first.create_session("chat");
    chat.enrich(Enrichment::new().feedback(json!({"step": 1, "one": 1})));
    assert_eq!(stop(&first), 2);

    server.heal();
    server.fail(Fault::status(503).times(2));
    let next = spooling(&server, &folder);
    let same = next.create_session(NewSession::existing(chat.id()));
    same.enrich(Enrichment::new().feedback(json!({"step": 2, "two": 2})));
    same.in_scope(|| drop(next.span("work").start()));
    flush(&next);
    let feedback = session(&server, chat.id()).feedback;
    assert_eq!(json!(feedback), json!({"step": 2, "one": 1, "two": 2}));
    assert_tree(&server, &chat, WORKED);
    assert_eq!(server.orphans(), []);
}

#[test]
fn what_is_said_of_an_event_waits_for_its_span_on_disk() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let first = spooling(&server, &folder);
    let answer = first.create_session("chat").in_scope(|| {
        let span = first.span("answer").start();
        span.event_id()
    });
    assert_eq!(stop(&first), 2);

    server.heal();
    server.fail(Fault::status(503).on(Endpoint::Traces).times(2));
    let next = spooling(&server, &folder);
    next.enrich_event(answer, Enrichment::new().feedback(json!({"rating": 5})));
    flush(&next);
    assert_eq!(event(&server, "answer").feedback["rating"], 5);
    // The update was not tried before its event was there.
    assert_eq!(count(&server, &format!("PUT /v1/events/{answer}")), 1);
}

#[test]
fn a_start_that_is_awaited_is_confirmed_from_disk() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = spooling_with(&server, &folder, |builder| builder.max_pending_items(1));
    let creating = tracer.acreate_session("chat");
    let id = creating.session().id();
    nudge(&tracer);
    wait_for(&tracer, |stats| stats.spooled == 1);
    server.heal();
    flush(&tracer);
    assert_eq!(tracer.stats().delivered, 1);
    assert_eq!(block_on(creating).unwrap().id(), id);
    assert_eq!(session(&server, id).name.as_deref(), Some("chat"));
}

#[test]
fn each_start_of_a_session_is_confirmed_from_disk() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = spooling_with(&server, &folder, |builder| builder.max_pending_items(1));
    let id = SessionId::new();
    let creating = [1, 2].map(|number| {
        let creating = tracer.acreate_session(NewSession::named("chat").id(id));
        nudge(&tracer);
        wait_for(&tracer, |stats| stats.spooled == number);
        creating
    });
    server.heal();
    flush(&tracer);
    for creating in creating {
        assert_eq!(block_on(creating).unwrap().id(), id);
    }
}

#[test]
fn too_many_spans_for_one_call_are_split_whoever_wrote_them() {
    let [this, other] = PROTOCOLS;
    for (before, after) in [(this, this), (this, other), (other, this)] {
        let (server, folder) = (server_that_is_down(), Folder::new());
        let with = |protocol| {
            builder(&server)
                .spool(folder.spool())
                .otlp_protocol(protocol)
        };
        let first = with(before).build().unwrap();
        let chat = first.create_session("chat");
        chat.in_scope(|| (0..8).for_each(|_| drop(first.span("work").start())));
        assert_eq!(stop(&first), 9);

        server.heal();
        server.fail(Fault::status(413).on(Endpoint::Traces).times(3));
        let next = with(after).build().unwrap();
        flush(&next);
        assert_eq!(all_events(&server).len(), 8);
        assert_eq!(next.stats().delivered, 9);
        assert_eq!(count(&server, TRACES), 7);
    }
}

#[test]
fn what_is_too_large_by_itself_is_cut_when_it_comes_from_disk_too() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let first = spooling(&server, &folder);
    let long = json!({"text": "x".repeat(40_000)});
    let chat = first.create_session(NewSession::named("chat").inputs(long.clone()));
    chat.in_scope(|| drop(first.span("work").inputs(long).start()));
    assert_eq!(stop(&first), 2);

    server.heal();
    for endpoint in [Endpoint::Sessions, Endpoint::Traces] {
        server.fail(Fault::status(413).on(endpoint).times(1));
    }
    let next = spooling(&server, &folder);
    flush(&next);
    assert_eq!(next.stats().delivered, 2);
    let inputs = [
        session(&server, chat.id()).inputs,
        event(&server, "work").inputs,
    ];
    for inputs in inputs {
        assert!(
            inputs["text"]
                .as_str()
                .unwrap()
                .ends_with("[cut: 40000 bytes in all]")
        );
    }
}

/// Returns a text that compression makes hardly smaller, if at all.
fn dense(bytes: usize) -> serde_json::Value {
    let ids = std::iter::repeat_with(|| uuid::Uuid::new_v4().simple().to_string());
    let mut text: String = ids.take(bytes / 32 + 1).collect();
    text.truncate(bytes);
    json!({ "text": text })
}

#[test]
fn spans_that_find_no_room_on_disk_still_come_after_their_start_there() {
    let (server, folder) = (server(), Folder::new());
    server.fail(Fault::status(503).on(Endpoint::Sessions));
    let tracer = builder(&server)
        .spool(folder.spool().max_bytes(100_000))
        .max_pending_items(1)
        .build()
        .unwrap();
    let chat = tracer.create_session(NewSession::named("chat").inputs(dense(70_000)));
    nudge(&tracer);
    wait_for(&tracer, |stats| stats.spooled == 1);
    chat.in_scope(|| drop(tracer.span("work").inputs(dense(80_000)).start()));
    drop(tracer.force_flush_blocking(Duration::from_secs(1)));
    assert_eq!((tracer.stats().pending, tracer.stats().spooled), (2, 1));
    assert_eq!(count(&server, TRACES), 0, "its start comes first");

    server.heal();
    flush(&tracer);
    assert_tree(&server, &chat, WORKED);
    assert_eq!(server.orphans(), []);
    assert_eq!(tracer.stats().delivered, 2);
}

#[test]
fn a_spool_that_fails_does_not_hold_up_what_could_be_delivered() {
    const CHATS: usize = 8;
    let (server, folder) = (server(), Folder::new());
    let known = tracer(&server);
    let chats = [(); CHATS].map(|()| known.create_session("chat").id());
    flush(&known);

    fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("a file");
    fs::write(&file, "").unwrap();
    let tracer = builder(&server)
        .spool(Spool::new(file))
        .max_pending_items(10)
        .build()
        .unwrap();
    server.fail(Fault::status(503));
    for chat in chats {
        let chat = tracer.create_session(NewSession::existing(chat));
        chat.enrich(Enrichment::new().feedback(json!({"rating": 5})));
    }
    // The tracer has noticed an outage, with its memory nearly full.
    let tried = |server: &LocalServer| server.requests().len() > 2 * CHATS;
    assert!(server.wait_until_blocking(PATIENCE, |it| {
        nudge(&tracer);
        tried(it)
    }));
    server.heal();
    flush(&tracer);
    assert_eq!(tracer.stats().delivered, CHATS as u64);
    assert_eq!(session(&server, chats[0]).feedback["rating"], 5);
}

#[test]
fn updates_of_what_nobody_knows_do_not_hold_up_what_is_behind_them_on_disk() {
    // The number of records is larger than the number that is read ahead.
    const UNKNOWN: u64 = 40;
    let (server, folder) = (server_that_answers_404(), Folder::new());
    server.fail(Fault::status(503));
    let first = spooling(&server, &folder);
    for _ in 0..UNKNOWN {
        let nobodys = first.create_session(NewSession::existing(SessionId::new()));
        nobodys.enrich(Enrichment::new().feedback(json!({"rating": 1})));
    }
    assert_eq!(stop(&first), UNKNOWN);
    let second = spooling(&server, &folder);
    let chat = second.create_session("chat");
    chat.in_scope(|| drop(second.span("work").start()));
    assert_eq!(stop(&second), UNKNOWN + 2);

    server.heal();
    let third = spooling(&server, &folder);
    wait_for(&third, |stats| {
        // The nudge shortens the waits between attempts, which grow longer and longer.
        nudge(&third);
        stats.dropped.rejected == UNKNOWN && stats.pending == 0
    });
    assert_eq!(third.stats().delivered, 2);
    assert_tree(&server, &chat, WORKED);
}

#[test]
fn with_room_on_disk_nothing_makes_room_for_anything() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = spooling_with(&server, &folder, |builder| {
        builder
            .max_pending_items(100)
            .drop_policy(DropPolicy::Oldest)
    });
    for _ in 0..10 {
        (0..45).for_each(|_| drop(tracer.create_session("chat")));
        // The burst fills the memory to the brim, and is taken in at once.
        wait_for(&tracer, |stats| stats.pending - stats.spooled < 50);
    }
    assert_eq!(tracer.stats().dropped.total(), 0);
    assert_eq!(stop(&tracer), 450);
}

#[test]
fn the_earliest_of_several_shutdowns_finds_everything_written() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = spooling(&server, &folder);
    one_of_each(&tracer);
    let (first, _) = block_on(async {
        let soon = tracer.shutdown(Duration::from_millis(200));
        let late = tracer.shutdown(Duration::from_secs(3_600));
        tokio::join!(soon, late)
    });
    let Err(FlushError::TimedOut { report, .. }) = first else {
        panic!("{first:?}");
    };
    assert_eq!((report.pending, report.spooled), (3, 3));
}

#[test]
fn a_refused_key_leaves_on_disk_what_is_there() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let first = spooling(&server, &folder);
    first.create_session("chat");
    assert_eq!(stop(&first), 1);

    server.heal();
    server.fail(Fault::status(401).times(1));
    let next = spooling(&server, &folder);
    let is_refused = |it: &LocalServer| it.requests().iter().any(|it| it.status == Some(401));
    assert!(server.wait_until_blocking(PATIENCE, is_refused));
    assert_eq!(stop(&next), 1);
    assert_eq!(next.stats().dropped.total(), 0);

    let last = spooling(&server, &folder);
    flush(&last);
    assert_eq!(server.stats().sessions, 1);
}

#[test]
fn another_key_does_not_deliver_it() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let first = spooling(&server, &folder);
    first.create_session("chat");
    assert_eq!(stop(&first), 1);

    server.heal();
    let other = builder(&server)
        .api_key("hh_another")
        .spool(folder.spool())
        .build()
        .unwrap();
    assert_eq!(stop(&other), 0);
    assert_eq!(other.stats().accepted, 0);
    let same = spooling(&server, &folder);
    flush(&same);
    assert_eq!(server.stats().sessions, 1);
}

#[test]
fn only_the_owner_can_read_it_and_no_key_is_in_it() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = spooling(&server, &folder);
    one_of_each(&tracer);
    assert!(stop(&tracer) > 0);
    for file in fs::read_dir(&folder.0).unwrap() {
        let file = file.unwrap();
        let bytes = fs::read(file.path()).unwrap();
        let has_key = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
        assert!(!has_key, "{file:?}");
        assert_mode(&file.path(), 0o600);
    }
    assert_mode(&folder.0, 0o700);
}

fn one_of_each(tracer: &HoneyHiveTracer) -> SessionId {
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("work").start()));
    chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
    chat.id()
}

#[cfg(unix)]
#[track_caller]
fn assert_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let actual = fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(actual, mode, "{}: {actual:o}", path.display());
}

#[cfg(not(unix))]
fn assert_mode(_: &Path, _: u32) {}

#[test]
fn the_bound_on_disk_holds_and_what_does_not_fit_is_counted() {
    const BOUND: u64 = 40_000;
    const SESSIONS: u64 = 100;
    let (server, folder) = (server_that_is_down(), Folder::new());
    let tracer = builder(&server)
        .spool(folder.spool().max_bytes(BOUND))
        .build()
        .unwrap();
    for _ in 0..SESSIONS {
        tracer.create_session(NewSession::named("x").inputs(json!({"x": "x".repeat(2_000)})));
    }
    drop(tracer.shutdown_blocking(Duration::ZERO));
    let stats = tracer.stats();
    assert_balanced(&tracer);
    assert!(folder.bytes() <= BOUND, "{}", folder.bytes());
    assert!(
        stats.spooled > 10 && stats.dropped.shut_down > 0,
        "{stats:?}"
    );
    assert_eq!(stats.spooled + stats.dropped.shut_down, SESSIONS);

    server.heal();
    let next = spooling(&server, &folder);
    flush(&next);
    // The first may still be letting go of its files, and then they are found a moment later.
    let all = |server: &LocalServer| server.stats().sessions as u64 == stats.spooled;
    assert!(server.wait_until_blocking(PATIENCE, |_| all(&server)));
}

#[test]
fn a_folder_that_cannot_be_used_changes_nothing_else() {
    let (server, folder) = (server(), Folder::new());
    fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("a file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let tracer = builder(&server).spool(Spool::new(path)).build().unwrap();
        one_of_each(&tracer);
        flush(&tracer);
        assert_eq!(tracer.stats().delivered, 3);
        server.fail(Fault::status(503));
        one_of_each(&tracer);
        drop(tracer.shutdown_blocking(Duration::ZERO));
        assert_eq!(tracer.stats().dropped.shut_down, 3);
        assert_balanced(&tracer);
        server.heal();
    }
}

#[test]
fn what_cannot_be_read_is_set_aside_and_counted_and_the_rest_is_delivered() {
    let (server, folder) = (server_that_is_down(), Folder::new());
    let first = spooling(&server, &folder);
    let ids: Vec<_> = (0..3).map(|_| first.create_session("chat").id()).collect();
    assert_eq!(stop(&first), 3);
    let segment = folder.files("hhspool").remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let notes = folder.0.join("notes.txt");
    fs::write(&notes, "of somebody else").unwrap();

    server.heal();
    let next = spooling(&server, &folder);
    drop(next.force_flush_blocking(PATIENCE));
    let stats = next.stats();
    assert_balanced(&next);
    assert_eq!(
        (stats.delivered, stats.dropped.unreadable),
        (2, 1),
        "{stats:?}"
    );
    let arrived = ids
        .iter()
        .filter(|id| server.session(&id.to_string()).is_some());
    assert_eq!(arrived.count(), 2);
    wait_for(&next, |stats| stats.set_aside == 1);
    assert_eq!(folder.files("corrupt").len(), 1);
    assert_eq!(fs::read_to_string(notes).unwrap(), "of somebody else");
}

#[test]
fn a_start_that_cannot_be_read_is_counted_and_its_spans_create_the_session() {
    // The record breaks off in its header, and in its body.
    for kept in [5, 60] {
        let (server, folder) = (server_that_is_down(), Folder::new());
        let tracer = spooling_with(&server, &folder, |builder| builder.max_pending_items(1));
        // The records are more than are read ahead.
        for _ in 0..40 {
            tracer.create_session("before");
            await_spooled(&tracer);
            // Each belongs to another flush.
            nudge(&tracer);
        }
        let before = folder.bytes();
        let chat = tracer.create_session("chat");
        await_spooled(&tracer);
        let segment = folder.files("hhspool").remove(0);
        let segment = fs::File::options().write(true).open(segment).unwrap();
        segment.set_len(before + kept).unwrap();

        server.heal();
        let Err(FlushError::Dropped { report, .. }) = tracer.force_flush_blocking(PATIENCE) else {
            panic!("{:?}", tracer.stats());
        };
        assert_eq!((report.dropped, report.pending), (1, 0));
        assert_balanced(&tracer);
        chat.in_scope(|| drop(tracer.span("work").start()));
        flush(&tracer);
        assert_tree(&server, &chat, WORKED);
        wait_for(&tracer, |stats| stats.set_aside == 1);
        let stats = tracer.stats();
        assert_eq!((stats.delivered, stats.dropped.unreadable), (41, 1));
        assert_eq!(stop(&tracer), 0);
    }
}

/// The variable makes a test run its program, in a process of its own, with a folder and a server.
const CHILD: &str = "CORE_SPOOL_CHILD";

/// Runs the program: it spools one thing after another, and says of which it is certain.
fn child(settings: &str) {
    let (folder, url) = settings.split_once('|').unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(url)
        .coalesce_window(NEVER)
        // The bound of one item sends everything to disk at once.
        .max_pending_items(1)
        .spool(Spool::new(folder))
        .build()
        .unwrap();
    let mut output = std::io::stdout();
    loop {
        let chat = tracer.create_session("chat");
        await_spooled(&tracer);
        chat.in_scope(|| drop(tracer.span("work").start()));
        await_spooled(&tracer);
        // The test closes its end only once it has killed this.
        writeln!(output, "spooled {}", chat.id()).unwrap();
    }
}

/// Waits until everything so far is on disk, or delivered from there: memory has room for one item only.
fn await_spooled(tracer: &HoneyHiveTracer) {
    nudge(tracer);
    wait_for(tracer, |stats| stats.pending == stats.spooled);
    let dropped = tracer.stats().dropped;
    // Items in whose writing the earlier process was killed are no loss of this one.
    assert_eq!(dropped.total(), dropped.unreadable, "{dropped:?}");
}

/// A `Killed` process is killed with the value, if not before.
struct Killed {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Killed {
    fn start(test: &str, folder: &Folder, server: &LocalServer) -> Self {
        let settings = format!("{}|{}", folder.0.display(), server.url());
        let mut process = again(module_path!(), test)
            .args(["--nocapture", "--quiet"])
            .env(CHILD, settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Returns the next session of which the process is certain.
    fn next(&mut self) -> String {
        loop {
            let line = self.lines.next().unwrap().unwrap();
            // The harness writes to the same place.
            if let Some((_, id)) = line.split_once("spooled ") {
                return id.to_owned();
            }
        }
    }

    /// Kills the process by SIGKILL, and returns what it had said until then.
    fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let rest = self.lines.by_ref().map_while(Result::ok);
        // A line that breaks off was not said.
        rest.filter_map(|line| Some(line.split_once("spooled ")?.1.to_owned()))
            .filter(|id| id.len() == SessionId::LENGTH)
            .collect()
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn kill_9_at_any_moment_loses_nothing_that_was_spooled() {
    const TEST: &str = "kill_9_at_any_moment_loses_nothing_that_was_spooled";
    const ROUNDS: usize = 20;
    if let Ok(settings) = std::env::var(CHILD) {
        return child(&settings);
    }
    let (server, folder) = (server_that_is_down(), Folder::new());
    let mut spooled = BTreeSet::new();
    for round in 0..ROUNDS {
        // Two at a time share the folder, and each takes over what those before have left.
        let mut pair = [(); 2].map(|()| Killed::start(TEST, &folder, &server));
        for (index, process) in pair.iter_mut().enumerate() {
            let until = (round * 7 + index * 3) % 23 + 1;
            spooled.extend((0..until).map(|_| process.next()));
        }
        for process in pair {
            spooled.extend(process.kill());
        }
    }
    assert!(spooled.len() > ROUNDS * 10, "{}", spooled.len());

    server.heal();
    let next = spooling(&server, &folder);
    drop(next.force_flush_blocking(PATIENCE));
    let stats = next.stats();
    assert_balanced(&next);
    assert_eq!(stats.pending, 0, "{stats:?}");
    // Items that were being written when the process was killed are reported as lost, and no others.
    assert_eq!(stats.dropped.total(), stats.dropped.unreadable, "{stats:?}");
    assert!(stats.dropped.unreadable <= 2 * ROUNDS as u64, "{stats:?}");
    for id in &spooled {
        assert_eq!(server.tree(id), WORKED);
    }
    assert_eq!(server.orphans(), []);
    assert_eq!(stop(&next), 0);
    folder.assert_empty();
}

#[test]
fn kill_9_while_it_is_delivered_loses_nothing_either() {
    const TEST: &str = "kill_9_while_it_is_delivered_loses_nothing_either";
    const ROUNDS: usize = 10;
    if let Ok(settings) = std::env::var(CHILD) {
        return child(&settings);
    }
    let (server, folder) = (server(), Folder::new());
    server.fail(Fault::status(503).share(0.3));
    let mut spooled = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut process = Killed::start(TEST, &folder, &server);
        let until = (round * 7) % 23 + 1;
        spooled.extend((0..until).map(|_| process.next()));
        spooled.extend(process.kill());
    }

    server.heal();
    let next = spooling(&server, &folder);
    drop(next.force_flush_blocking(PATIENCE));
    assert_eq!(next.stats().pending, 0, "{:?}", next.stats());
    for id in &spooled {
        // Spans that were under way may have come twice, under the same ids: each is there once.
        assert_eq!(server.tree(id), WORKED);
    }
    assert_eq!(server.orphans(), []);
    assert_eq!(stop(&next), 0);
    folder.assert_empty();
}

#[test]
fn a_process_that_lives_takes_over_from_one_that_is_killed() {
    const TEST: &str = "a_process_that_lives_takes_over_from_one_that_is_killed";
    if let Ok(settings) = std::env::var(CHILD) {
        return child(&settings);
    }
    let (server, folder) = (server_that_is_down(), Folder::new());
    let alive = spooling(&server, &folder);
    let mut process = Killed::start(TEST, &folder, &server);
    let mut spooled: Vec<_> = (0..5).map(|_| process.next()).collect();
    assert_eq!(alive.stats().accepted, 0, "it belongs to the other");
    spooled.extend(process.kill());
    server.heal();
    let has_all = |it: &LocalServer| spooled.iter().all(|id| it.tree(id).contains("work"));
    assert!(server.wait_until_blocking(PATIENCE, has_all));
    assert!(alive.stats().accepted >= 10);
    assert_balanced(&alive);
}
