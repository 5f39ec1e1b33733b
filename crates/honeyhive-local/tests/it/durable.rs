//! A store in a file outlives its server.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use honeyhive_local::{LocalServer, StartError, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::client::{SESSION, TRACES, export, get, http, post, put, session_span, start_session};

/// A `Folder` is removed at the end, with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("honeyhive-local-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn open(path: &Path) -> Result<LocalServer, StartError> {
    LocalServer::builder().persist(path).start().await
}

#[tokio::test]
async fn everything_is_there_after_a_restart_early_updates_included() {
    let folder = Folder::new();
    let server = open(&folder.file()).await.unwrap();
    start_session(&server, SESSION).await;
    post(
        &server,
        TRACES,
        export(vec![session_span(1, 0, "turn"), session_span(2, 1, "ask")]),
    )
    .await;
    post(&server, "/v1/datasets", json!({ "name": "set" })).await;
    let other = Uuid::new_v4().to_string();
    put(
        &server,
        &format!("/v1/events/{other}"),
        json!({ "metadata": { "early": true } }),
    )
    .await;
    let (tree, stats) = (server.tree(SESSION), server.stats());
    drop(server);

    let server = open(&folder.file()).await.unwrap();
    assert_eq!(server.tree(SESSION), tree);
    assert_eq!(
        (server.stats().sessions, server.stats().events),
        (stats.sessions, stats.events)
    );
    assert_eq!(server.stats().bytes, stats.bytes);
    assert_eq!(server.stats().pending_updates, 1);
    start_session(&server, &other).await;
    assert_eq!(server.session(&other).unwrap().metadata["early"], true);
    let sets = get(&server, "/v1/datasets").await.text().await.unwrap();
    assert!(sets.contains("\"set\""));
}

#[tokio::test]
async fn a_second_server_on_the_file_says_so_and_does_not_start() {
    let folder = Folder::new();
    let first = open(&folder.file()).await.unwrap();
    let second = open(&folder.file()).await.unwrap_err();
    assert!(
        matches!(second, StartError::Store(StoreError::InUse { .. })),
        "{second}"
    );
    let said = second.to_string();
    assert!(
        said.contains("in use") && said.contains("store.db"),
        "{said}"
    );
    start_session(&first, SESSION).await;
    drop(first);
    assert!(
        open(&folder.file())
            .await
            .unwrap()
            .session(SESSION)
            .is_some()
    );
}

#[tokio::test]
async fn a_file_of_a_newer_version_or_of_something_else_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(open(&folder.file()).await.unwrap());
    let mut bytes = std::fs::read(folder.file()).unwrap();
    // SQLite keeps the version of the user in the head of the file.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(folder.file(), &bytes).unwrap();
    let refused = open(&folder.file()).await.unwrap_err();
    assert!(
        matches!(
            refused,
            StartError::Store(StoreError::Newer { found: 99, .. })
        ),
        "{refused}"
    );
    assert!(refused.to_string().contains("newer"), "{refused}");
    assert_eq!(std::fs::read(folder.file()).unwrap(), bytes);

    let text = folder.0.join("notes.txt");
    std::fs::write(
        &text,
        "no database at all, but long enough to look at".repeat(100),
    )
    .unwrap();
    let refused = open(&text).await.unwrap_err();
    assert!(
        matches!(refused, StartError::Store(StoreError::Foreign { .. })),
        "{refused}"
    );
    let nowhere = open(Path::new("/nowhere/at/all.db")).await.unwrap_err();
    assert!(
        matches!(nowhere, StartError::Store(StoreError::File { .. })),
        "{nowhere}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    std::fs::write(folder.file(), "").unwrap();
    std::fs::set_permissions(folder.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let server = open(&folder.file()).await.unwrap();
    start_session(&server, SESSION).await;
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder.0).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(seen >= 3, "the store, its log and its lock");
}

const CHILD: &str = "HONEYHIVE_LOCAL_TEST_FILE";

/// The function is no test by itself: it is the server of the next one, in a process that can be killed.
#[test]
fn a_server_to_be_killed() {
    let Ok(file) = env::var(CHILD) else { return };
    let server = LocalServer::builder()
        .persist(file)
        .start_blocking()
        .unwrap();
    println!("listens on {}", server.url());
    loop {
        std::thread::park();
    }
}

struct Killable(Child);

impl Drop for Killable {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(file: &Path) -> (Killable, String) {
    let child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "durable::a_server_to_be_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, file)
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Killable(child.unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| Some(line.ok()?.split_once("listens on ")?.1.to_owned()));
    (child, url.expect("it listens"))
}

#[tokio::test]
async fn what_was_answered_with_200_is_there_after_kill_9() {
    let folder = Folder::new();
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let (mut child, url) = spawn(&folder.file());
        let kept = Arc::new(Mutex::new(Vec::new()));
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let (url, kept) = (url.clone(), Arc::clone(&kept));
                tokio::spawn(async move {
                    loop {
                        let id = Uuid::new_v4().to_string();
                        let body =
                            json!({ "session_id": id, "inputs": { "text": "x".repeat(2000) } });
                        let sent = http()
                            .post(format!("{url}/v1/sessions"))
                            .json(&body)
                            .send()
                            .await;
                        match sent {
                            Ok(answer) if answer.status() == 200 => kept.lock().unwrap().push(id),
                            _ => return,
                        }
                    }
                })
            })
            .collect();
        // The number of answers differs each time, so that the process dies at another moment of its commits.
        let enough = 20 + 37 * round;
        while kept.lock().unwrap().len() < enough {
            tokio::task::yield_now().await;
        }
        child.0.kill().unwrap();
        child.0.wait().unwrap();
        for client in clients {
            client.await.unwrap();
        }
        acknowledged.append(&mut kept.lock().unwrap());
    }
    let server = open(&folder.file()).await.unwrap();
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|id| server.session(id).is_none())
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} are lost",
        lost.len(),
        acknowledged.len()
    );
}
