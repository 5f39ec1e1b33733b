//! Each part records into a HoneyHive on this machine.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may"
)]

use std::time::Duration;

use honeyhive::{HoneyHiveTracer, SessionId};
use honeyhive_local::LocalServer;
use sessions::{linking, serve_users, test_mode};

const PATIENCE: Duration = Duration::from_secs(60);

fn honeyhive() -> (LocalServer, HoneyHiveTracer) {
    let server = LocalServer::builder().start_blocking().unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key("local")
        .server_url(server.url())
        .build()
        .unwrap();
    (server, tracer)
}

#[test]
fn a_linked_session_is_the_one_it_names_and_is_not_started_again() {
    let (server, tracer) = honeyhive();

    let linked = linking(&tracer);
    tracer.shutdown_blocking(PATIENCE).unwrap();

    assert_eq!(linked.custom, SessionId::from_correlation_id("thread_42"));
    assert_eq!(linked.existing, linked.custom);
    assert_ne!(linked.automatic, linked.custom);
    assert_eq!(server.stats().sessions, 2);
    assert_eq!(
        server.tree(&linked.automatic.to_string()),
        "request\n  answer [chain]\n"
    );
    assert_eq!(
        server.tree(&linked.custom.to_string()),
        "conversation\n  answer [chain]\n  answer [chain]\n"
    );
    let conversation = server.session(&linked.custom.to_string()).unwrap();
    assert_eq!(conversation.outputs["answer"], "you said \"and cake\"");
    assert_eq!(conversation.posts, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_done_for_a_user_is_in_that_users_session_on_whichever_thread() {
    let (server, tracer) = honeyhive();
    let users: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();

    serve_users(&tracer, &users).await;
    tracer.shutdown(PATIENCE).await.unwrap();

    assert_eq!(server.stats().sessions, 40);
    assert_eq!(server.stats().orphans, 0);
    for session in server.sessions() {
        let user = session.user_properties["user_id"].as_str().unwrap();
        assert_eq!(session.name.unwrap(), format!("user-{user}"));
        let events = server.events(&session.session_id);
        let mut names: Vec<_> = events
            .iter()
            .map(|event| event.event_name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["compute", "compute", "fetch", "serve"]);
        assert!(
            events.iter().all(|event| event.inputs["user"] == user),
            "{events:?}"
        );
    }
}

#[test]
fn a_session_in_test_mode_has_an_id_like_any_other() {
    // Test mode needs no key, and nothing that listens.
    assert_ne!(test_mode().unwrap(), test_mode().unwrap());
}

#[test]
fn the_program_shows_every_way() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sessions"))
        .env_clear()
        .output()
        .unwrap();

    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    for name in [
        "request",
        "conversation",
        "user-ada",
        "user-bob",
        "user-cleo",
    ] {
        assert!(said.contains(&format!("\n{name}\n  ")), "{said}");
    }
    // Recordings in test mode do not leave the process.
    assert!(!said.contains("a test\n"), "{said}");
}
