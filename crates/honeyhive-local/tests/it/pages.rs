//! The server has pages and `/api`.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{
    SESSION, TRACES, export, get, get_text, in_session, post, put, send, server, span,
    text_attribute,
};

const SCRIPT: &str = "<script>alert('x')</script>\"&";

async fn filled() -> honeyhive_local::LocalServer {
    let server = server().await;
    let body =
        json!({ "session_id": SESSION, "session_name": SCRIPT, "inputs": { SCRIPT: SCRIPT } });
    post(&server, "/v1/sessions", body).await;
    let update = json!({ "outputs": { "status_code": 201 }, "duration": 12.34, "metadata": { "note": SCRIPT } });
    put(&server, &format!("/v1/events/{SESSION}"), update).await;
    let attributes = vec![
        in_session(SESSION),
        text_attribute("honeyhive_inputs.q", SCRIPT),
        text_attribute("honeyhive_error", SCRIPT),
        text_attribute(SCRIPT, SCRIPT),
    ];
    let orphan = span(2, 0, "lost", vec![]);
    post(
        &server,
        TRACES,
        export(vec![span(1, 0, SCRIPT, attributes), orphan]),
    )
    .await;
    server
}

#[tokio::test]
async fn whatever_came_in_is_escaped_on_every_page() {
    let server = filled().await;
    for path in [
        "/",
        "/sessions",
        &format!("/sessions/{SESSION}"),
        "/requests/1",
    ] {
        let text = get_text(&server, path).await;
        let count = |tag: &str| text.matches(tag).count();
        // The page of a session has the session in it, as JSON, which a browser does not run.
        let own = count("<script type=\"module\" src=\"/assets/app.js\">")
            + count("<script id=\"first\" type=\"application/json\">");
        assert_eq!((count("<script"), count("</script")), (own, own), "{text}");
        assert!(text.contains("&lt;script&gt;alert("), "{text}");
    }
}

#[tokio::test]
async fn the_list_says_how_a_session_ended_how_long_it_took_and_what_happened_in_it() {
    let server = filled().await;
    let text = get_text(&server, "/").await;
    assert!(text.contains(&format!("href=\"/sessions/{SESSION}\"")));
    for shown in ["201 complete", "12 ms", "1 error"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
}

#[tokio::test]
async fn the_rows_alone_are_those_that_came_after_or_are_named() {
    let server = filled().await;
    let rows = get_text(&server, "/sessions?after=0").await;
    assert!(
        rows.starts_with("<table") && rows.contains(SESSION),
        "{rows}"
    );
    assert!(
        !get_text(&server, "/sessions?after=99999")
            .await
            .contains(SESSION)
    );
    assert!(
        get_text(&server, &format!("/sessions?id={SESSION}"))
            .await
            .contains(SESSION)
    );
    assert!(
        !get_text(&server, "/sessions?id=another")
            .await
            .contains(SESSION)
    );
    assert!(
        !get_text(&server, "/sessions?slower=5000")
            .await
            .contains(SESSION)
    );
}

#[tokio::test]
async fn the_error_of_a_session_is_the_same_in_the_list_and_in_the_session() {
    let server = server().await;
    let start = json!({ "session_id": SESSION });
    post(&server, "/v1/sessions", start).await;
    let failed = json!({ "metadata": { "error": "half-way" } });
    put(&server, &format!("/v1/events/{SESSION}"), failed).await;
    let told = async |path: &str| -> Value {
        let text = get_text(&server, path).await;
        serde_json::from_str(&text).unwrap()
    };
    let listed = told("/api/sessions").await;
    assert_eq!(listed["sessions"][0]["error"], "half-way");
    for path in [SESSION.to_owned(), format!("{SESSION}/tree")] {
        let one = told(&format!("/api/sessions/{path}")).await;
        assert_eq!(one["session"]["error"], "half-way", "{path}");
    }
}

#[tokio::test]
async fn an_empty_server_says_what_to_run_and_an_unknown_session_says_so() {
    let server = server().await;
    let text = get_text(&server, "/").await;
    assert!(
        text.contains(&format!("export HH_API_URL={} ", server.url())),
        "{text}"
    );
    let unknown = get(&server, "/sessions/none").await;
    assert_eq!(unknown.status(), 404);
    assert!(
        unknown
            .text()
            .await
            .unwrap()
            .contains("No session has the id none")
    );
}

#[tokio::test]
async fn orphans_are_shown_with_the_reason() {
    let server = filled().await;
    let text = get_text(&server, "/orphans").await;
    assert!(
        text.contains("lost") && text.contains("The span names no session."),
        "{text}"
    );
    let unknown = span(3, 0, "early", vec![in_session("never started")]);
    post(&server, TRACES, export(vec![unknown])).await;
    let orphans: Value = get(&server, "/api/orphans").await.json().await.unwrap();
    let advice = orphans["orphans"][0]["advice"].as_str().unwrap();
    assert!(advice.contains("was never started here"), "{advice}");
    assert!(!advice.contains("  "), "a sentence without gaps: {advice}");
}

#[tokio::test]
async fn a_stream_tells_each_change_once_and_goes_on_where_it_was_left() {
    let server = filled().await;
    let mut stream = get(&server, "/api/stream?since=0").await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut told = String::new();
    while !told.contains("data: ") || !told.ends_with("\n\n") {
        told += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
    }
    let data = told.lines().find_map(|line| line.strip_prefix("data: "));
    let data: Value = serde_json::from_str(data.unwrap()).unwrap();
    let changes = data["changes"].as_array().unwrap().iter();
    let about = changes.filter(|change| change["id"] == SESSION && change["kind"] == "session");
    assert_eq!(about.count(), 1, "{data}");
    let last = told.lines().find_map(|line| line.strip_prefix("id: "));
    let request = crate::client::http().get(format!("{}/api/stream", server.url()));
    let mut resumed = request
        .header("last-event-id", last.unwrap())
        .send()
        .await
        .unwrap();
    post(
        &server,
        "/v1/sessions",
        json!({ "session_id": crate::client::OTHER }),
    )
    .await;
    let mut told = String::new();
    while !told.contains("data: ") || !told.ends_with("\n\n") {
        told += std::str::from_utf8(&resumed.chunk().await.unwrap().unwrap()).unwrap();
    }
    assert!(
        told.contains(crate::client::OTHER) && !told.contains(SESSION),
        "{told}"
    );
}

#[tokio::test]
async fn a_session_is_told_as_markdown_and_searched() {
    let server = filled().await;
    let markdown = get(&server, &format!("/api/sessions/{SESSION}/markdown")).await;
    assert_eq!(
        markdown.headers()["content-type"],
        "text/markdown; charset=utf-8"
    );
    let text = markdown.text().await.unwrap();
    assert!(text.starts_with("# <script>alert"), "{text}");
    assert!(
        text.contains("- ended: 201 complete\n") && text.contains("\nError:\n```"),
        "{text}"
    );
    let found: Value = get(&server, &format!("/api/sessions/{SESSION}/search?q=alert"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(found["event_ids"].as_array().unwrap().len(), 1);
    let none: Value = get(
        &server,
        &format!("/api/sessions/{SESSION}/search?q=nowhere"),
    )
    .await
    .json()
    .await
    .unwrap();
    assert_eq!(none["event_ids"], json!([]));
}

#[tokio::test]
async fn the_markdown_says_whose_session_it_is_and_how_an_event_was_rated() {
    let server = server().await;
    let body = json!({ "session_id": SESSION, "session_name": "chat", "user_properties": { "user_id": "ada" } });
    post(&server, "/v1/sessions", body).await;
    let attributes = vec![
        in_session(SESSION),
        text_attribute("honeyhive_feedback.rating", "good"),
        text_attribute("honeyhive_user_properties.plan", "pro"),
    ];
    let answer = span(1, 0, "answer", attributes);
    post(&server, TRACES, export(vec![answer])).await;

    let text = get_text(&server, &format!("/api/sessions/{SESSION}/markdown")).await;
    for (bucket, said) in [
        ("User properties", r#""user_id": "ada""#),
        ("Feedback", r#""rating": "good""#),
        ("User properties", r#""plan": "pro""#),
    ] {
        let shown = format!("{bucket}:\n```json\n{{\n  {said}\n}}\n```");
        assert!(text.contains(&shown), "{shown}\n{text}");
    }
}

#[tokio::test]
async fn pages_forbid_everything_from_elsewhere() {
    let server = filled().await;
    for path in ["/", "/sessions/none", "/api/sessions"] {
        let response = get(&server, path).await;
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("http:"));
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    }
    assert_eq!(
        get(&server, "/assets/style.css").await.headers()["content-type"],
        "text/css; charset=utf-8"
    );
}

#[tokio::test]
async fn an_import_of_neither_a_session_nor_events_is_refused() {
    let server = server().await;
    for body in [
        json!([]),
        json!({}),
        json!({ "sesion": { "session_id": SESSION } }),
        Value::Null,
    ] {
        let (status, answer) = send(&server, Method::POST, "/api/import", &body).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(answer["message"], "there is neither a session nor events");
    }
    let alone = json!({ "session": { "session_id": SESSION } });
    assert_eq!(
        send(&server, Method::POST, "/api/import", &alone).await.0,
        200
    );
    assert_eq!(server.stats().sessions, 1);
}

#[tokio::test]
async fn a_time_that_is_far_away_is_shown_as_a_time_of_the_day() {
    let server = server().await;
    let far = json!({ "session_id": SESSION, "start_time": 1e18 });
    post(&server, "/v1/sessions", far).await;
    let text = get_text(&server, "/").await;
    let (_, shown) = text.split_once("T01:46:40.000Z\">").expect(&text);
    assert!(shown.starts_with("01:46:40<"), "{shown}");
}

#[tokio::test]
async fn a_class_of_statuses_beyond_all_numbers_breaks_nothing() {
    let server = filled().await;
    for (status, found) in [("2xx", 1), ("5xx", 0), ("255xx", 0)] {
        let listed = get(&server, &format!("/api/sessions?status={status}")).await;
        let listed: Value = listed.json().await.unwrap();
        assert_eq!(listed["total"], found, "{status}");
    }
    let listed = get(&server, "/api/sessions?status=99999999999999999xx").await;
    assert_eq!(listed.status(), 200);
}

#[tokio::test]
async fn the_api_shows_all_that_is_held_and_can_clear_it() {
    let server = filled().await;
    let json = async |path: &str| -> Value { get(&server, path).await.json().await.unwrap() };
    assert_eq!(json("/api/sessions").await["sessions"][0]["events"], 1);
    let session = json(&format!("/api/sessions/{SESSION}")).await;
    assert_eq!(session["session"]["outputs"]["status_code"], 201);
    assert_eq!(session["events"][0]["inputs"]["q"], SCRIPT);
    assert!(session["tree"].as_str().unwrap().ends_with("[tool]\n"));
    assert_eq!(
        json("/api/orphans").await["orphans"][0]["event_name"],
        "lost"
    );
    let requests = json("/api/requests").await;
    assert_eq!(
        requests["requests"].as_array().unwrap().len(),
        3,
        "reading is not recorded"
    );
    assert_eq!(
        requests["requests"][1]["path"],
        format!("/v1/events/{SESSION}")
    );
    assert_eq!(requests["requests"][1]["json"]["duration"], 12.34);
    assert_eq!(get(&server, "/api/sessions/none").await.status(), 404);

    assert_eq!(
        send(&server, Method::DELETE, "/api", &Value::Null).await.0,
        200
    );
    assert_eq!(server.stats(), honeyhive_local::LocalStats::default());
    assert!(
        server.sessions().is_empty() && server.orphans().is_empty() && server.requests().is_empty()
    );
}

#[tokio::test]
async fn imported_ids_in_upper_case_are_the_same_ids() {
    let server = server().await;
    let (parent, child) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let upper = str::to_uppercase;
    let events = json!([
        { "event_id": upper(&parent), "session_id": upper(SESSION), "event_name": "above",
          "event_type": "chain", "parent_id": upper(SESSION), "children_ids": [upper(&child)] },
        { "event_id": child, "session_id": SESSION, "event_name": "below", "event_type": "tool",
          "parent_id": upper(&parent) },
    ]);
    let session = json!({ "session_id": upper(SESSION) });
    // A session that is imported again takes its own place.
    for events in [&events, &json!([events[1], events[0]])] {
        let body = json!({ "session": session, "events": events });
        let (status, answer) = send(&server, Method::POST, "/api/import", &body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(server.orphans(), []);
        let tree = format!("{SESSION}\n  above [chain]\n    below [tool]\n");
        assert_eq!(server.tree(SESSION), tree);
    }
    let events = server.events(SESSION);
    let above = events.iter().find(|it| it.event_name == "above").unwrap();
    assert_eq!(above.parent_id.as_deref(), Some(SESSION));
    assert_eq!(above.children_ids, [child]);
}
