//! A session ends once and says how, however its answer ends.

use crate::adapter::Adapter;
use crate::app::REFUSAL_TEXT;
use crate::harness::{Stage, assert_ended, assert_error};

/// Every status is recorded once, as the client saw it; the server's own errors have an error text.
pub async fn every_status_is_recorded_once_as_it_was_sent<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    for status in [200, 201, 204, 304, 307, 400, 404, 422, 429, 500, 503] {
        let accepted = stage.stats().accepted;
        let answer = stage
            .request("GET", &format!("/status/{status}"))
            .send()
            .await;
        assert_eq!(answer.status, status);
        let session = stage.session(answer.session_id()).await;
        assert_ended(&session, status, "complete");
        assert_eq!((session.posts, session.updates), (1, 0), "{status}");
        assert_eq!(
            stage.stats().accepted - accepted,
            2,
            "one start and one end"
        );
        match status {
            500.. => assert_error(&session, &status.to_string()),
            _ => assert!(
                !session.metadata.contains_key("error"),
                "{status}: {session:#?}"
            ),
        }
    }
}

/// The framework's own 404 has no route, so the name is the path.
pub async fn a_path_without_a_route_is_recorded_as_404<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = stage.request("GET", "/no/such/path?x=1").send().await;
    assert_eq!(answer.status, 404);
    let session = stage.only_session().await;
    assert_eq!(answer.session_id().to_string(), session.session_id);
    assert_eq!(session.name.as_deref(), Some("GET /no/such/path"));
    assert_ended(&session, 404, "complete");
    assert_eq!(stage.stats().accepted, 2);
}

/// The framework refuses a body before the handler runs.
pub async fn a_body_that_the_framework_refuses_is_recorded_as_it_says<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let call = stage.request("POST", "/json");
    let answer = call.header("content-type", "application/json").body("{");
    let answer = answer.send().await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    let session = stage.only_session().await;
    assert_eq!(session.name.as_deref(), Some("POST /json"));
    assert_ended(&session, answer.status, "complete");
    assert_eq!(stage.stats().accepted, 2);
}

/// The handler fails, and the framework answers for it.
pub async fn an_error_of_the_handler_is_recorded<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = stage.request("GET", "/fail").send().await;
    assert_eq!((answer.status, answer.text()), (500, REFUSAL_TEXT));
    let session = stage.only_session().await;
    assert_eq!(session.outputs["status_code"], 500);
    assert_error(&session, "");
    assert_eq!(stage.stats().accepted, 2);
    assert_eq!(answer.session_id().to_string(), session.session_id);
}

/// The handler says what went wrong, and makes the answer of it by itself, as axum's `IntoResponse` does.
pub async fn what_the_program_says_went_wrong_is_not_replaced_by_a_status<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    for status in [200, 404, 500, 503] {
        let call = stage.request("GET", &format!("/told/{status}"));
        let answer = call.send().await;
        assert_eq!(answer.status, status);
        let session = stage.session(answer.session_id()).await;
        assert_ended(&session, status, "complete");
        assert_error(&session, REFUSAL_TEXT);
    }
}

/// A middleware further in fails, and the framework answers for it.
pub async fn an_error_of_an_inner_middleware_is_recorded<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = stage.request("GET", "/behind-a-failing-middleware");
    let answer = answer.send().await;
    assert!(answer.status >= 500, "{}", answer.status);
    let session = stage.only_session().await;
    assert_eq!(session.outputs["status_code"], answer.status);
    assert_error(&session, "");
    assert_eq!(stage.stats().accepted, 2);
}

/// A `HEAD` request never has a body, so nothing waits for one.
pub async fn a_head_request_ends_with_its_head<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    for (path, status) in [("/bytes/1000", 200), ("/tokens", 200), ("/status/404", 404)] {
        let answer = stage.request("HEAD", path).send().await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{path}");
        let session = stage.session(answer.session_id()).await;
        assert_ended(&session, status, "complete");
        assert_eq!(session.inputs["method"], "HEAD");
    }
    // A framework may run the body all the same. What it makes then is its session's, and nobody else's.
    assert_eq!((stage.starts().len(), stage.endings()), (3, 3));
    assert!(stage.honeyhive.orphans().is_empty());
}
