//! The pages and `/api`.

use reqwest::Method;
use serde_json::{Value, json};

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
    for path in ["/".to_owned(), format!("/sessions/{SESSION}")] {
        let text = get_text(&server, &path).await;
        assert!(!text.contains("<script"), "{text}");
        assert!(!text.contains("alert('x')"), "{text}");
        assert!(
            text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_list_shows_status_duration_and_event_count() {
    let server = filled().await;
    let text = get_text(&server, "/").await;
    assert!(text.contains(&format!("href=\"/sessions/{SESSION}\"")));
    assert!(
        text.contains("<td>201</td><td>12.3 ms</td><td>1</td>"),
        "{text}"
    );
}

#[tokio::test]
async fn pages_forbid_scripts_and_everything_from_elsewhere() {
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
        get(&server, "/style.css").await.headers()["content-type"],
        "text/css; charset=utf-8"
    );
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
