//! The program is tested by running it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use honeyhive_local::LocalServer;
use serde_json::{Value, json};

use crate::client::{SESSION, TRACES, export, post, put, session_span, span};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_honeyhive-local"));
    for variable in ["PORT", "ADDRESS", "ALLOW_REMOTE", "DATA", "URL"] {
        command.env_remove(format!("HONEYHIVE_LOCAL_{variable}"));
    }
    command.env_remove("HH_LOCAL_API_KEY");
    command
}

fn output(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

/// Asks a server by a command; returns the output and the exit code.
fn asked(server: &LocalServer, args: &[&str]) -> (String, Option<i32>) {
    let done = program()
        .args(args)
        .args(["--url", &server.url()])
        .output()
        .unwrap();
    (String::from_utf8(done.stdout).unwrap(), done.status.code())
}

/// Starts the program; returns it with its output up to the line with the variables to set.
fn started(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("export ") {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
    }
    (child, said)
}

fn url_in(said: &str) -> String {
    let url = said
        .split_whitespace()
        .find(|word| word.starts_with("http://"));
    url.unwrap().to_owned()
}

fn status_of(url: &str) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let request = crate::client::http().get(format!("{url}/projects"));
    runtime.block_on(request.send()).unwrap().status().as_u16()
}

#[cfg(target_os = "linux")]
async fn status_of_page(url: &str) -> u16 {
    let request = crate::client::http().get(format!("{url}/"));
    request.send().await.unwrap().status().as_u16()
}

/// Returns a server with a session that failed in a step, and a span without a session.
async fn filled() -> LocalServer {
    let server = crate::client::server().await;
    let body = json!({ "session_id": SESSION, "session_name": "chat", "inputs": { "question": "Why?" }, "outputs": { "answer": "Because." } });
    post(&server, "/v1/sessions", body).await;
    put(
        &server,
        &format!("/v1/events/{SESSION}"),
        json!({ "duration": 1500, "metrics": { "score": 0.5 } }),
    )
    .await;
    let mut failed = session_span(2, 1, "lookup");
    failed["status"] = json!({ "code": 2, "message": "no route" });
    post(
        &server,
        TRACES,
        export(vec![session_span(1, 0, "turn"), failed]),
    )
    .await;
    server
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("honeyhive-local-{}-{name}", uuid::Uuid::new_v4()))
}

#[test]
fn help_and_version_go_to_stdout_and_the_help_says_what_exit_codes_mean() {
    let help = output(&["--help"]);
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for told in ["--allow-remote", "Exit codes: 0 done", "tail", "doctor"] {
        assert!(help.contains(told), "{told}: {help}");
    }
    let version = output(&["--version"]);
    assert!(
        String::from_utf8(version.stdout)
            .unwrap()
            .contains(env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn what_makes_no_sense_is_misuse() {
    for args in [
        &["--api-key=hh_x"][..],
        &["--port", "70000"],
        &["--address", "localhost"],
        &["--allow-remote=no"],
        &["extra"],
        &["--memory", "--data", "x"],
        &["clear"],
        &["show", "x", "--md", "--json"],
        &["search", "--since", "yesterday"],
        &["search", "--since", "-1h"],
        &["export", "--since", "5"],
        &["search", "--status", "fine"],
        &["search", "--status", "50x"],
        &["search", "--status", "5xxxx"],
    ] {
        let refused = output(args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(refused.stdout.is_empty(), "{args:?}");
        assert!(!refused.stderr.is_empty(), "{args:?}");
    }
    let refused = program()
        .args(["--memory"])
        .env("HONEYHIVE_LOCAL_PORT", "many")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn an_address_that_others_can_reach_is_refused_with_what_to_do() {
    let refused = output(&["--memory", "--address", "0.0.0.0", "--port", "0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("allow_remote")
    );
}

#[cfg(unix)]
#[test]
fn a_server_says_where_it_listens_ends_on_sigterm_and_keeps_what_came() {
    let data = file("kept.db");
    let kept = data.to_str().unwrap();
    let mut command = program();
    let (mut child, said) = started(command.args(["--port", "0", "--data", kept]));
    let url = url_in(&said);
    assert!(said.contains(&format!("export HH_API_URL={url} HH_API_KEY=hh_local")));
    assert_eq!(status_of(&url), 200);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let start = json!({ "session_id": SESSION, "session_name": "kept" });
    runtime
        .block_on(
            crate::client::http()
                .post(format!("{url}/v1/sessions"))
                .json(&start)
                .send(),
        )
        .unwrap();
    let second = output(&["--port", "0", "--data", kept]);
    assert_eq!(second.status.code(), Some(1), "the file is in use");
    let killed = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
    // The server is gone, so the file itself is asked.
    let shown = output(&["show", SESSION, "--url", &url, "--data", kept]);
    assert_eq!(shown.status.code(), Some(0));
    assert!(String::from_utf8(shown.stdout).unwrap().starts_with("kept"));
    let nothing = output(&[
        "search",
        "--url",
        &url,
        "--data",
        "/nonexistent/honeyhive.db",
    ]);
    assert_eq!(nothing.status.code(), Some(4));
}

#[cfg(unix)]
#[test]
fn a_program_that_was_told_to_end_leaves_its_port_free() {
    let mut command = program();
    let (mut child, said) = started(command.args(["--memory", "--port", "0"]));
    let url = url_in(&said);
    assert_eq!(status_of(&url), 200);
    let address = url.trim_start_matches("http://");
    let idle = std::net::TcpStream::connect(address).unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
    let next = LocalServer::builder().port(port).start_blocking().unwrap();
    assert_eq!(next.url(), url);
    drop(idle);
}

/// The limit of a file's size stands in for the end of the disk.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_answered_507_and_the_server_goes_on_when_there_is_room() {
    let data = file("full.db");
    let mut command = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -S -f 2048; exec \"$0\" \"$@\"";
    let command = command.args(["-c", limited, env!("CARGO_BIN_EXE_honeyhive-local")]);
    let data = data.to_str().unwrap();
    let (mut child, said) = started(command.args(["--port", "0", "--data", data]));
    let url = url_in(&said);
    let send = async |number: usize| {
        let text = format!("{number} {}", "x".repeat(40_000));
        let body = json!({ "session_name": "s", "inputs": { "text": text } });
        let request = crate::client::http().post(format!("{url}/v1/sessions"));
        crate::client::answer(request.json(&body).send().await.unwrap()).await
    };
    let mut kept = Vec::new();
    let refused = loop {
        match send(kept.len()).await {
            (200, started) => kept.push(started["session_id"].as_str().unwrap().to_owned()),
            refused => break refused,
        }
        assert!(kept.len() < 1000, "it is full some time");
    };
    assert_eq!(refused.0, 507, "{refused:?}");
    assert!(refused.1["message"].as_str().unwrap().contains("no room"));
    assert_eq!(status_of_page(&url).await, 200, "reading goes on");
    let room = ["--fsize=unlimited", "--pid", &child.id().to_string()];
    assert!(
        Command::new("prlimit")
            .args(room)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(send(0).await.0, 200);
    child.kill().unwrap();
    child.wait().unwrap();
    let server = LocalServer::builder().persist(data).start().await.unwrap();
    assert_eq!(server.stats().sessions, kept.len() + 1);
    assert!(kept.iter().all(|id| server.session(id).is_some()));
}

#[test]
fn a_key_from_the_environment_is_asked_for_and_never_printed() {
    let mut command = program();
    let command = command
        .args(["--memory", "--port", "0", "--api-key-env", "MY_KEY"])
        .env("MY_KEY", "hh_secret");
    let (mut child, said) = started(command.stderr(Stdio::piped()));
    assert!(said.contains("HH_API_KEY=\"$MY_KEY\""));
    assert!(!said.contains("hh_secret"));
    assert_eq!(status_of(&url_in(&said)), 401);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut complaints = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!(complaints, "");
}

#[tokio::test]
async fn a_session_is_shown_as_a_tree_as_markdown_and_as_json_by_the_beginning_of_its_id() {
    let server = filled().await;
    let (text, code) = asked(&server, &["show", &SESSION[..8]]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("chat  ") && lines[0].contains("complete, 1 failed  1.50 s"),
        "{text}"
    );
    assert_eq!(lines[1..3], ["  in: Why?", "  out: Because."]);
    assert!(
        lines[3].starts_with("  turn [tool]") && lines[4].starts_with("    lookup [tool]"),
        "{text}"
    );
    assert_eq!(lines[5], "      ! no route");
    let (markdown, _) = asked(&server, &["show", SESSION, "--md"]);
    assert!(markdown.starts_with("# chat\n"), "{markdown}");
    let (json, _) = asked(&server, &["show", SESSION, "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["session"]["name"], "chat");
    let event = json["events"][0]["event_id"].as_str().unwrap();
    let (event, code) = asked(&server, &["show", event, "--json"]);
    assert_eq!(
        (
            code,
            serde_json::from_str::<Value>(&event).unwrap()["event_name"].clone()
        ),
        (Some(0), json!("turn"))
    );
    assert_eq!(asked(&server, &["show", "none"]).1, Some(3));
}

#[tokio::test]
async fn sessions_are_found_by_words_and_conditions() {
    let server = filled().await;
    let (found, code) = asked(&server, &["search", "because", "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        serde_json::from_str::<Value>(&found).unwrap()["session_id"],
        SESSION
    );
    let (line, _) = asked(&server, &["search", "--errors", "--since", "1h"]);
    assert!(
        line.contains(&SESSION[..8]) && line.contains("Why? → Because."),
        "{line}"
    );
    assert_eq!(
        asked(&server, &["search", "nowhere"]),
        (String::new(), Some(3))
    );
    assert_eq!(asked(&server, &["search", "--status", "5xx"]).1, Some(3));
}

#[tokio::test]
async fn an_export_has_every_session_the_oldest_first_and_a_limit_keeps_the_newest() {
    let server = crate::client::server().await;
    // The list has more than two pages.
    let ids: Vec<String> = (0..405_u128)
        .map(|number| uuid::Uuid::from_u128(number + 1).to_string())
        .collect();
    for id in &ids {
        crate::client::start_session(&server, id).await;
    }
    let exported = |args: &[&str]| {
        let (lines, code) = asked(&server, args);
        assert_eq!(code, Some(0));
        let ids = lines.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["session"]["session_id"].as_str().unwrap().to_owned()
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(exported(&["export"]), ids);
    assert_eq!(exported(&["export", "--limit", "201"]), ids[204..]);
    let (datapoints, code) = asked(&server, &["export", "--as-dataset"]);
    assert_eq!((datapoints.as_str(), code), ("", Some(0)));
}

#[tokio::test]
async fn a_search_says_that_more_sessions_fit_than_it_shows() {
    let server = filled().await;
    crate::client::start_session(&server, crate::client::OTHER).await;
    let complaints = |args: &[&str]| {
        let done = program()
            .args(args)
            .args(["--url", &server.url()])
            .output()
            .unwrap();
        String::from_utf8(done.stderr).unwrap()
    };
    let told = complaints(&["search", "--limit", "1"]);
    assert!(told.contains("the newest 1 of 2 sessions"), "{told}");
    assert_eq!(complaints(&["search"]), "");
}

/// Returns a span with something in each of its fields.
fn full_span() -> Value {
    let mut full = session_span(3, 1, "full");
    full["attributes"] = json!([
        crate::client::in_session(SESSION),
        crate::client::text_attribute("honeyhive_inputs.q", "Why?"),
        crate::client::text_attribute("db.system", "postgresql"),
    ]);
    full["kind"] = json!(3);
    full["status"] = json!({ "code": 2, "message": "no route" });
    let said = crate::client::text_attribute("level", "WARN");
    full["events"] = json!([{ "name": "a log line", "timeUnixNano": "1767225600003000000", "attributes": [said] }]);
    full["links"] = json!([{ "traceId": crate::client::TRACE, "spanId": "00000000000000aa" }]);
    full
}

#[tokio::test]
async fn an_import_of_an_export_keeps_each_field_of_sessions_and_events() {
    let server = filled().await;
    post(&server, TRACES, export(vec![full_span()])).await;
    // The event has an id of another kind, in a session that a span has made.
    let mut made = span(4, 0, "of a session of its own", vec![]);
    made["attributes"] = json!([
        crate::client::in_session("order-7"),
        crate::client::attribute(
            "honeyhive.session_auto_create",
            json!({ "boolValue": true })
        ),
    ]);
    post(&server, TRACES, export(vec![made])).await;
    let failed = json!({ "metadata": { "error": "half-way" }, "feedback": { "rating": 1 } });
    put(&server, &format!("/v1/events/{SESSION}"), failed).await;

    let path = file("whole.jsonl");
    std::fs::write(&path, asked(&server, &["export"]).0).unwrap();
    let other = crate::client::server().await;
    for _ in 0..2 {
        let told = asked(&other, &["import", path.to_str().unwrap()]);
        let expected = "taken in: 2 sessions, 0 exports of traces\n".to_owned();
        assert_eq!(told, (expected, Some(0)));
    }

    assert_eq!(other.sessions(), server.sessions());
    for id in [SESSION, "order-7"] {
        assert!(!server.events(id).is_empty());
        assert_eq!(other.events(id), server.events(id), "{id}");
    }
    let full = &other.events(SESSION)[2];
    assert_eq!(full.attributes["db.system"], "postgresql");
    assert_eq!(full.span_events[0].name, "a log line");
    assert_eq!(full.kind, "client");
    for path in [
        format!("/v1/events/{SESSION}"),
        format!("/api/sessions/{SESSION}"),
    ] {
        let (before, now) = (
            crate::client::get_text(&server, &path).await,
            crate::client::get_text(&other, &path).await,
        );
        assert_eq!(now, before, "{path}");
    }
}

#[tokio::test]
async fn an_import_takes_the_place_of_a_session_of_the_same_id() {
    let server = filled().await;
    let path = file("earlier.jsonl");
    std::fs::write(&path, asked(&server, &["export"]).0).unwrap();
    let before = server.sessions();
    let later = json!({ "metadata": { "later": true }, "outputs": { "answer": "Therefore." } });
    put(&server, &format!("/v1/events/{SESSION}"), later).await;
    assert_eq!(
        asked(&server, &["import", path.to_str().unwrap()]).1,
        Some(0)
    );
    assert_eq!(server.sessions(), before);
}

#[tokio::test]
async fn an_event_that_could_be_sent_can_be_imported_though_its_export_is_twice_as_long() {
    let server = filled().await;
    let long = "x".repeat(10 * 1024 * 1024);
    for number in [5, 6] {
        let attributes = vec![
            crate::client::in_session(SESSION),
            crate::client::text_attribute("honeyhive_inputs.text", &long),
        ];
        let spans = vec![span(number, 0, "long", attributes)];
        assert_eq!(post(&server, TRACES, export(spans)).await.0, 200);
    }
    let path = file("long.jsonl");
    std::fs::write(&path, asked(&server, &["export"]).0).unwrap();
    let other = crate::client::server().await;
    let told = asked(&other, &["import", path.to_str().unwrap()]);
    assert_eq!(told.1, Some(0), "{}", told.0);
    assert_eq!(other.events(SESSION), server.events(SESSION));
}

#[tokio::test]
async fn an_import_counts_the_traces_of_files_and_of_lines_and_nothing_of_an_empty_file() {
    let server = filled().await;
    let path = file("input");
    let traces = |id| export(vec![session_span(id, 0, "from a file")]).to_string();
    let other = crate::client::server().await;
    for (text, told) in [
        (String::new(), "0 sessions, 0 exports"),
        ("\n".to_owned(), "0 sessions, 0 exports"),
        (traces(9), "0 sessions, 1 export"),
        (
            format!("{}\n{}\n", traces(10), traces(11)),
            "0 sessions, 2 exports",
        ),
        (
            asked(&server, &["export"]).0 + &traces(12),
            "1 session, 1 export",
        ),
    ] {
        std::fs::write(&path, &text).unwrap();
        let expected = format!("taken in: {told} of traces\n");
        let answer = asked(&other, &["import", path.to_str().unwrap()]);
        assert_eq!(answer, (expected, Some(0)), "{text}");
    }
}

#[tokio::test]
async fn what_is_exported_can_be_imported_from_the_standard_input_beside_traces() {
    let server = filled().await;
    let (lines, code) = asked(&server, &["export"]);
    assert_eq!((code, lines.lines().count()), (Some(0), 1));
    let other = crate::client::server().await;
    let otlp = file("otlp.json");
    std::fs::write(
        &otlp,
        export(vec![session_span(9, 0, "from a file")]).to_string(),
    )
    .unwrap();
    let mut child = program();
    let mut child = child
        .args(["import", "-", otlp.to_str().unwrap(), "--url", &other.url()])
        .args(["--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(done.stdout).unwrap(),
        "{\"sessions\":1,\"traces\":1}\n"
    );
    assert!(other.tree(SESSION).contains("from a file [tool]"));
}

#[tokio::test]
async fn an_import_of_what_is_no_export_fails() {
    let other = crate::client::server().await;
    let path = file("neither.json");
    for text in [
        "{\"neither\": 1}",
        "{\"session\": {\"session_id\": \"a\\u0000b\"}, \"events\": []}",
        "{\"session\": {\"session_id\": \"\"}, \"events\": []}",
        "{\"session\": {\"session_id\": \"s\"}, \"events\": [{\"session_id\": \"s\"}]}",
        "{\"session\": {\"session_id\": \"s\", \"inputs\": 3}}",
    ] {
        std::fs::write(&path, text).unwrap();
        let (_, code) = asked(&other, &["import", path.to_str().unwrap()]);
        assert_eq!(code, Some(1), "{text}");
    }
    assert_eq!(other.stats().sessions, 0);
}

#[tokio::test]
async fn sessions_become_datapoints_with_what_feedback_says_is_true() {
    let server = filled().await;
    let told = [
        json!({ "inputs": { "question": "When?", "method": "POST" }, "outputs": { "answer": "Now.", "status_code": 200 } }),
        json!({ "inputs": { "path": "/health" } }),
        json!({ "inputs": { "question": "Who?" } }),
    ];
    let mut ids = Vec::new();
    for session in told {
        let (_, started) = post(&server, "/v1/sessions", session).await;
        ids.push(started["session_id"].as_str().unwrap().to_owned());
    }
    let feedback = json!({ "feedback": { "ground_truth": "At noon." } });
    put(&server, &format!("/v1/events/{}", ids[0]), feedback).await;
    let (lines, code) = asked(&server, &["export", "--as-dataset"]);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected = [
        json!({ "id": SESSION, "inputs": { "question": "Why?" }, "ground_truth": { "answer": "Because." } }),
        json!({ "id": ids[0], "inputs": { "question": "When?" }, "ground_truth": "At noon." }),
        json!({ "id": ids[2], "inputs": { "question": "Who?" } }),
    ];
    assert_eq!((code, lines.as_slice()), (Some(0), &expected[..]));
}

#[tokio::test]
async fn sessions_become_a_dataset_of_the_server() {
    let server = filled().await;
    let (made, code) = asked(&server, &["export", "--as-dataset", "questions", "--json"]);
    assert_eq!(code, Some(0));
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["datapoints"], 1);
    let points = crate::client::get(&server, "/v1/datapoints?dataset_name=questions").await;
    let points: Value = points.json().await.unwrap();
    assert_eq!(
        points["datapoints"][0]["inputs"],
        json!({ "question": "Why?" })
    );
    assert_eq!(
        points["datapoints"][0]["ground_truth"],
        json!({ "answer": "Because." })
    );
}

#[tokio::test]
async fn the_doctor_says_why_there_are_orphans_and_what_was_refused() {
    let server = filled().await;
    let (healthy, code) = asked(&server, &["doctor"]);
    assert_eq!(code, Some(0), "{healthy}");
    assert!(
        healthy.contains("1 session, 2 events, 0 orphans"),
        "{healthy}"
    );
    post(&server, TRACES, export(vec![span(7, 0, "lost", vec![])])).await;
    post(&server, "/v1/sessions", json!({ "unknown": 1 })).await;
    let (told, code) = asked(&server, &["doctor", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told["healthy"]), (Some(1), &json!(false)));
    let orphans = told["orphans"].as_object().unwrap();
    assert!(
        orphans
            .keys()
            .next()
            .unwrap()
            .starts_with("The span names no session.")
    );
    assert_eq!(
        told["refused"],
        json!({ "POST /v1/sessions answered 400": 1 })
    );
}

#[cfg(feature = "doctor")]
#[test]
fn the_doctor_misses_the_key_where_the_environment_has_an_address_alone() {
    let refused = program()
        .args(["doctor", "--url", "http://127.0.0.1:1"])
        .env("HH_API_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let said = String::from_utf8(refused.stdout).unwrap();
    assert!(said.contains("set HH_API_KEY"), "{said}");
    assert_eq!(refused.status.code(), Some(1));
}

#[cfg(feature = "doctor")]
#[tokio::test]
async fn the_doctor_takes_its_own_questions_for_nothing_amiss() {
    let server = filled().await;
    for args in [&["doctor"][..], &["doctor", "--probe"], &["doctor"]] {
        let done = program()
            .args(args)
            .args(["--url", &server.url()])
            .env("HH_API_URL", server.url())
            .env("HH_API_KEY", "hh_local")
            .output()
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert_eq!(done.status.code(), Some(0), "{args:?}: {said}");
    }
    post(&server, "/v1/sessions", json!({ "unknown": 1 })).await;
    assert_eq!(asked(&server, &["doctor"]).1, Some(1));
}

#[tokio::test]
async fn everything_is_forgotten_only_when_that_is_meant() {
    let server = filled().await;
    assert_eq!(asked(&server, &["clear"]).1, Some(2));
    assert_eq!(server.stats().sessions, 1);
    assert_eq!(
        asked(&server, &["clear", "--yes"]),
        ("everything is forgotten\n".to_owned(), Some(0))
    );
    assert_eq!(server.stats().sessions, 0);
}

#[tokio::test]
async fn a_tail_prints_each_session_when_it_comes_and_when_it_ends() {
    let server = filled().await;
    let mut command = program();
    let command = command.args(["tail", "--json", "-n", "1", "--url", &server.url()]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = move || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    // A pipe is waited for on a thread that may block; the server has threads of its own.
    assert_eq!(next()["session_id"], SESSION);
    let other = crate::client::OTHER;
    post(&server, "/v1/sessions", json!({ "session_id": other })).await;
    let begun = next();
    assert_eq!(
        (&begun["session_id"], &begun["duration"]),
        (&json!(other), &Value::Null)
    );
    put(
        &server,
        &format!("/v1/events/{other}"),
        json!({ "duration": 12 }),
    )
    .await;
    assert_eq!(next()["duration"], 12.0);
    drop(server);
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

#[tokio::test]
async fn nothing_that_came_in_reaches_the_terminal_as_a_command() {
    let server = crate::client::server().await;
    let hostile = "a\u{1b}[31m\u{7}\u{9b}2Jb\r\n\u{202e}c";
    let body = json!({ "session_id": SESSION, "session_name": hostile, "inputs": { "question": hostile }, "outputs": { "answer": hostile } });
    post(&server, "/v1/sessions", body).await;
    let mut failed = session_span(1, 0, hostile);
    failed["status"] = json!({ "code": 2, "message": hostile });
    post(
        &server,
        TRACES,
        export(vec![failed, span(2, 0, hostile, vec![])]),
    )
    .await;
    for args in [
        &["search"][..],
        &["search", "--json"],
        &["show", SESSION],
        &["show", SESSION, "--md"],
        &["show", SESSION, "--json"],
        &["export"],
        &["doctor"],
    ] {
        let (text, _) = asked(&server, args);
        assert!(text.contains('a'), "{args:?}");
        let obeyed = text
            .chars()
            .find(|it| (it.is_control() && *it != '\n') || *it == '\u{202e}');
        assert_eq!(obeyed, None, "{args:?}: {text:?}");
    }
}

#[test]
fn the_terminal_view_takes_a_terminal() {
    assert_eq!(output(&["tui"]).status.code(), Some(2));
}
