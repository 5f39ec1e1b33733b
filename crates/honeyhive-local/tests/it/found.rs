//! Tests and pages look for what has arrived, each in their own words.

use honeyhive_local::LocalServer;
use serde_json::{Value, json};

use crate::client::{
    OTHER, SESSION, TRACES, attribute, export, get, get_text, in_session, post, server,
    session_span, span, start_session, text_attribute,
};

/// Returns a server with two sessions: one with a model call that failed, one with a tool.
async fn filled() -> LocalServer {
    let server = server().await;
    for (id, name, plan) in [(SESSION, "chat", "pro"), (OTHER, "search", "free")] {
        let body = json!({ "session_id": id, "session_name": name, "metadata": { "plan": plan } });
        post(&server, "/v1/sessions", body).await;
    }
    let asked = vec![
        in_session(SESSION),
        text_attribute("honeyhive_event_type", "model"),
        text_attribute("honeyhive_inputs.question", "Where is Reykjavík?"),
        text_attribute("honeyhive_error", "rate limit"),
    ];
    let called = vec![
        in_session(OTHER),
        text_attribute("honeyhive_outputs.answer", "64.1 N"),
    ];
    let spans = vec![
        span(1, 0, "ask", asked),
        span(2, 0, "locate", called),
        span(3, 0, "lost", vec![]),
    ];
    post(&server, TRACES, export(spans)).await;
    server
}

fn names(events: &[honeyhive_local::LocalEvent]) -> Vec<&str> {
    let mut names: Vec<&str> = events.iter().map(|it| it.event_name.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_query_finds_what_all_its_conditions_hold_for() {
    let server = filled().await;
    let all = || server.query();
    assert_eq!(names(&all().events()), ["ask", "locate", "lost"]);
    assert_eq!(names(&all().event_type("model").events()), ["ask"]);
    assert_eq!(names(&all().session(OTHER).events()), ["locate"]);
    assert_eq!(names(&all().failed().events()), ["ask"]);
    assert_eq!(names(&all().name("lost").events()), ["lost"]);
    assert_eq!(
        names(&all().contains("inputs.question", "reykjavík").events()),
        ["ask"]
    );
    assert_eq!(names(&all().exists("outputs.answer").events()), ["locate"]);
    assert!(all().session(OTHER).failed().events().is_empty());
    let paying = all().is("metadata.plan", "pro").sessions();
    assert_eq!(paying.len(), 1);
    assert_eq!(paying[0].session_id, SESSION);
    assert_eq!(all().sessions().len(), 2);
    let longest = all()
        .events()
        .iter()
        .map(|it| it.duration)
        .fold(0.0, f64::max);
    assert!(all().above("duration", longest).events().is_empty());
    assert_eq!(all().below("duration", longest + 1.0).events().len(), 3);
}

#[tokio::test]
async fn a_seeded_dataset_is_what_an_experiment_reads_and_its_run_is_told() {
    let server = server().await;
    let capital = |country: &str, capital: &str| json!({ "inputs": { "country": country }, "ground_truth": { "capital": capital } });
    let dataset = server.seed_dataset(
        "capitals",
        [capital("France", "Paris"), capital("Peru", "Lima")],
    );
    let read = async |path: &str| -> Value { get(&server, path).await.json().await.unwrap() };
    let found = read(&format!("/v1/datasets?dataset_id={dataset}")).await;
    assert_eq!(found["datasets"][0]["name"], "capitals");
    let ids = found["datasets"][0]["datapoints"].as_array().unwrap();
    assert_eq!(ids.len(), 2);
    let first = read(&format!("/v1/datapoints/{}", ids[0].as_str().unwrap())).await;
    assert_eq!(first["datapoint"][0]["inputs"]["country"], "France");
    assert_eq!(first["datapoint"][0]["linked_datasets"], json!([dataset]));
    let named = read("/v1/datapoints?dataset_name=capitals").await;
    assert_eq!(named["datapoints"].as_array().unwrap().len(), 2);

    assert!(server.runs().is_empty());
    for name in ["first", "second"] {
        let run = json!({ "name": name, "dataset_id": dataset, "metadata": { "commit": "abc" } });
        assert_eq!(post(&server, "/v1/runs", run).await.0, 200);
    }
    let runs = server.runs();
    let told: Vec<_> = runs.iter().map(|run| run.name.as_deref()).collect();
    assert_eq!(told, [Some("first"), Some("second")]);
    assert_eq!(runs[0].dataset_id.as_deref(), Some(dataset.as_str()));
}

#[tokio::test]
async fn sessions_are_found_by_words_of_their_own_and_of_their_events() {
    let server = filled().await;
    let found = async |query: &str| -> Vec<String> {
        let listed = get(&server, &format!("/api/sessions?{query}")).await;
        let listed: Value = listed.json().await.unwrap();
        assert_eq!(listed["partial"], false, "{query}");
        let rows = listed["sessions"].as_array().unwrap();
        rows.iter()
            .map(|row| row["session_id"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, ids) in [
        ("q=", &[OTHER, SESSION][..]),
        ("q=chat", &[SESSION]),
        ("q=REYKJAV%C3%8DK", &[SESSION]),
        ("q=reykja", &[SESSION]),
        ("q=64.1", &[OTHER]),
        ("q=where+is", &[SESSION]),
        ("q=where+64", &[]),
        ("q=lost", &[]),
        ("q=%22+OR+NEAR(*", &[]),
        ("q=reykja&errors=1", &[SESSION]),
        ("q=64&errors=1", &[]),
        (&format!("q={}", &OTHER[..8]), &[OTHER]),
    ] {
        assert_eq!(found(query).await, ids, "{query}");
    }
}

#[tokio::test]
async fn a_search_that_did_not_look_at_all_says_so() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let some = async |first: u64, last: u64| {
        let spans = (first..=last).map(|id| {
            let mut span = session_span(1, 0, "zanzibar");
            span["spanId"] = json!(format!("{id:016x}"));
            span
        });
        assert_eq!(post(&server, TRACES, export(spans.collect())).await.0, 200);
    };
    let page = "/?q=zanzibar";
    some(1, 5000).await;
    assert!(!get_text(&server, page).await.contains("Looked at"));
    some(5001, 5001).await;
    let text = get_text(&server, page).await;
    assert!(text.contains("Looked at the newest 5,000"), "{text}");
    let listed = get_text(&server, "/api/sessions?q=zanzibar").await;
    assert!(listed.contains("\"partial\":true"), "{listed}");
    let rare = get_text(&server, "/api/sessions?q=nowhere").await;
    assert!(rare.contains("\"partial\":false"), "{rare}");
}

#[tokio::test]
async fn the_list_tells_tokens_apart_where_the_calls_did() {
    let server = server().await;
    for id in [SESSION, OTHER] {
        start_session(&server, id).await;
    }
    let tokens = |name: &str, count: u64| attribute(name, json!({ "intValue": count.to_string() }));
    let call = |input, output| {
        vec![
            in_session(SESSION),
            tokens("gen_ai.usage.input_tokens", input),
            tokens("gen_ai.usage.output_tokens", output),
        ]
    };
    let total = vec![in_session(OTHER), tokens("llm.token_count.total", 77)];
    let spans = vec![
        span(1, 0, "a", call(1000, 12)),
        span(2, 0, "b", call(204, 300)),
        span(3, 0, "c", total),
    ];
    post(&server, TRACES, export(spans)).await;
    let text = get_text(&server, "/").await;
    assert!(text.contains(">1,204 → 312<"), "{text}");
    assert!(text.contains(">77<"), "{text}");
}
