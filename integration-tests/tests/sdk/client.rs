//! The typed client is tested on a real socket: each route, both kinds of key, and answers that are not as they should
//! be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::BTreeSet;
use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::support::*;
use honeyhive::client::*;
use honeyhive::{BuildError, HoneyHiveTracer, NewSession};
use honeyhive_local::{Fault, LocalServer};
use integration_tests::harness::local_server;
use serde_json::{Value, json};

const RUN: &str = "6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d";
const OTHER: &str = "11111111-2222-4333-8444-555555555555";

fn data_plane_key() -> String {
    format!("hh_fgdp_{}_{}", "a1".repeat(12), "Zz_-".repeat(16))
}

/// Returns a HoneyHive with both kinds of key, and a client that has both.
fn both() -> (LocalServer, Client) {
    let server = local_server()
        .api_key(KEY)
        .data_plane_api_key(data_plane_key());
    let server = server.start_blocking().unwrap();
    let client = Client::builder()
        .api_key(KEY)
        .data_plane_api_key(data_plane_key())
        .server_url(server.url())
        .build()
        .unwrap();
    (server, client)
}

type Asking<'c> = Pin<Box<dyn Future<Output = Result<Value, ClientError>> + Send + 'c>>;

fn configuration(model: &str) -> NewConfiguration {
    let parameters = json!({"call_type": "chat", "model": model, "template": "Hi"});
    let new = NewConfiguration::new("n", "openai", parameters);
    new.env([Environment::Prod]).tags(["t"])
}

/// The macro makes a call, which says as much of its result as a row looks at.
macro_rules! call {
    (|$client:ident| $call:expr) => {
        |$client: &Client| -> Asking<'_> {
            Box::pin(async move { $call.await.map(|it| json!(format!("{it:?}"))) })
        }
    };
}

/// A `Row` has a call, and the request that it has to make. `P` is the beginning of the path.
struct Row {
    call: fn(&Client) -> Asking<'_>,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    body: Value,
}

fn row(
    call: fn(&Client) -> Asking<'_>,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    body: Value,
) -> Row {
    Row {
        call,
        method,
        path,
        query,
        body,
    }
}

fn rows() -> Vec<Row> {
    let none = Value::Null;
    vec![
        row(
            call!(|c| c.datasets().list()),
            "GET",
            "/datasets",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.datasets().named("a b&c")),
            "GET",
            "/datasets",
            "name=a%20b%26c",
            none.clone(),
        ),
        row(
            call!(|c| c.datasets().get("d")),
            "GET",
            "/datasets",
            "dataset_id=d",
            none.clone(),
        ),
        row(
            call!(|c| {
                let new = NewDataset::named("n").description("t").datapoints(["p"]);
                async move { c.datasets().create(&new).await }
            }),
            "POST",
            "/datasets",
            "",
            json!({"name": "n", "description": "t", "datapoints": ["p"]}),
        ),
        row(
            call!(|c| {
                let change = UpdateDataset::new().name("m").datapoints(["q"]);
                async move { c.datasets().update("d/1", &change).await }
            }),
            "PUT",
            "/datasets/d%2F1",
            "",
            json!({"name": "m", "datapoints": ["q"]}),
        ),
        row(
            call!(|c| c.datasets().delete("d")),
            "DELETE",
            "/datasets/d",
            "",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let mapping = FieldMapping::inputs(["a"])
                    .history(["h"])
                    .ground_truth(["b"]);
                c.datasets()
                    .add_rows("d", &[json!({"a": 1, "b": 2})], &mapping)
                    .await
            }),
            "POST",
            "/datasets/d/datapoints",
            "",
            json!({"data": [{"a": 1, "b": 2}], "mapping": {"inputs": ["a"], "history": ["h"], "ground_truth": ["b"]}}),
        ),
        row(
            call!(|c| c.datasets().remove_datapoint("d", "p")),
            "DELETE",
            "/datasets/d/datapoints/p",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.datapoints().get("p")),
            "GET",
            "/datapoints/p",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.datapoints().get_many(&["a", "b"])),
            "GET",
            "/datapoints",
            "datapoint_ids%5B%5D=a&datapoint_ids%5B%5D=b",
            none.clone(),
        ),
        row(
            call!(|c| c.datapoints().of_dataset_named("n")),
            "GET",
            "/datapoints",
            "dataset_name=n",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let new = NewDatapoint::new(json!({"q": 1})).ground_truth(json!({"a": 2}));
                let new = new
                    .history([json!({"role": "user"})])
                    .metadata(json!({"m": 3}));
                c.datapoints()
                    .create(&new.linked_event("e").linked_datasets(["d"]))
                    .await
            }),
            "POST",
            "/datapoints",
            "",
            json!({"inputs": {"q": 1}, "ground_truth": {"a": 2}, "history": [{"role": "user"}], "metadata": {"m": 3},
                   "linked_event": "e", "linked_datasets": ["d"]}),
        ),
        row(
            call!(|c| c.datapoints().create_from_events(&["e"], Some("d"))),
            "POST",
            "/datapoints/batch",
            "",
            json!({"checkState": {"e": true}, "dataset_id": "d"}),
        ),
        row(
            call!(|c| async move {
                c.datapoints()
                    .update("p", &UpdateDatapoint::new().inputs(json!({"q": 2})))
                    .await
            }),
            "PUT",
            "/datapoints/p",
            "",
            json!({"inputs": {"q": 2}}),
        ),
        row(
            call!(|c| c.datapoints().delete("p")),
            "DELETE",
            "/datapoints/p",
            "",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let new = NewRun::named("n")
                    .id(RUN)
                    .description("t")
                    .status(RunStatus::Running);
                let new = new
                    .dataset_id("d")
                    .metadata(json!({"m": 1}))
                    .configuration(json!({"c": 2}));
                let new = new
                    .event_ids(["s"])
                    .session_ids(["s"])
                    .datapoint_ids(["p"])
                    .evaluators(["e"]);
                let new = new
                    .passing_range("score", 0.8..)
                    .passing_range("cost", ..=2.0)
                    .results(json!({"r": 3}));
                c.runs().create(&new).await
            }),
            "POST",
            "/runs",
            "",
            json!({"name": "n", "run_id": RUN, "description": "t", "status": "running", "dataset_id": "d",
                   "metadata": {"m": 1}, "configuration": {"c": 2}, "event_ids": ["s"], "session_ids": ["s"],
                   "datapoint_ids": ["p"], "evaluators": ["e"], "results": {"r": 3},
                   "passing_ranges": {"score": {"min": 0.8}, "cost": {"max": 2.0}}}),
        ),
        row(
            call!(|c| c.runs().get(RUN)),
            "GET",
            "/runs/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d",
            "",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let filter = RunFilter::all()
                    .dataset_id("d")
                    .name("n")
                    .status(RunStatus::Failed)
                    .run_ids([RUN, OTHER]);
                c.runs()
                    .list(
                        &filter
                            .sort(SortRuns::Name, SortOrder::Ascending)
                            .page(2)
                            .limit(5),
                    )
                    .await
            }),
            "GET",
            "/runs",
            "dataset_id=d&name=n&status=failed&run_ids%5B%5D=6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d\
             &run_ids%5B%5D=11111111-2222-4333-8444-555555555555&sort_by=name&sort_order=asc&page=2&limit=5",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                c.runs()
                    .update(
                        RUN,
                        &UpdateRun::new()
                            .status(RunStatus::Completed)
                            .event_ids(["s"]),
                    )
                    .await
            }),
            "PUT",
            "/runs/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d",
            "",
            json!({"status": "completed", "event_ids": ["s"]}),
        ),
        row(
            call!(|c| c.runs().summary(RUN, Aggregate::P95)),
            "GET",
            "/runs/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d/summary",
            "aggregate_function=p95",
            none.clone(),
        ),
        row(
            call!(|c| c.runs().metrics(RUN)),
            "GET",
            "/runs/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d/metrics",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.runs().compare(RUN, OTHER, Aggregate::Average)),
            "GET",
            "/runs/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d/compare/11111111-2222-4333-8444-555555555555",
            "aggregate_function=average",
            none.clone(),
        ),
        row(
            call!(|c| c.events().get(RUN)),
            "GET",
            "/events/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d",
            "",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let then = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
                let search =
                    EventSearch::sessions().filter("metrics.score", Operator::LessThan, 0.5);
                let search = search.since(then).run(RUN).page_size(7);
                c.events().search(search).all().await
            }),
            "POST",
            "/events/search",
            "",
            json!({
                "filters": [
                    {"field": "event_type", "operator": "is", "value": "session", "type": "string"},
                    {"field": "metrics.score", "operator": "less than", "value": 0.5, "type": "number"},
                ],
                "dateRange": {"start_time": "1970-01-02T00:00:00Z", "end_time": "9999-12-31T23:59:59Z"},
                "evaluation_id": RUN, "limit": 7, "page": 1,
            }),
        ),
        row(
            call!(|c| c.metrics().list()),
            "GET",
            "/metrics",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.metrics().of_kind(MetricKind::Llm)),
            "GET",
            "/metrics",
            "type=LLM",
            none.clone(),
        ),
        row(
            call!(|c| c.metrics().get("m")),
            "GET",
            "/metrics",
            "id=m",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let new = NewMetric::llm("n", "is it?")
                    .model("openai", "gpt")
                    .scale(5);
                let new = new
                    .return_type(ReturnType::Float)
                    .sampling_percentage(100.0);
                c.metrics().create(&new.threshold(json!({"min": 3}))).await
            }),
            "POST",
            "/metrics",
            "",
            json!({"name": "n", "type": "LLM", "criteria": "is it?", "model_provider": "openai",
                   "model_name": "gpt", "scale": 5, "return_type": "float", "sampling_percentage": 100.0,
                   "threshold": {"min": 3}}),
        ),
        row(
            call!(|c| async move {
                c.metrics()
                    .update("m", &UpdateMetric::new().criteria("c"))
                    .await
            }),
            "PUT",
            "/metrics/m",
            "",
            json!({"criteria": "c"}),
        ),
        row(
            call!(|c| c.metrics().delete("m")),
            "DELETE",
            "/metrics/m",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.metrics().versions("m")),
            "GET",
            "/metrics/m/versions",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.metrics().deploy("m", "v1")),
            "POST",
            "/metrics/m/versions/v1/deploy",
            "",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let metric = NewMetric::python("n", "code");
                c.metrics()
                    .run(&metric, json!({"event_type": "chain"}))
                    .await
            }),
            "POST",
            "/metrics/run",
            "",
            json!({"metric": {"name": "n", "type": "PYTHON", "criteria": "code"}, "event": {"event_type": "chain"}}),
        ),
        row(
            call!(|c| c.configurations().list()),
            "GET",
            "/configurations",
            "",
            none.clone(),
        ),
        row(
            call!(|c| c.configurations().named("n")),
            "GET",
            "/configurations",
            "name=n",
            none.clone(),
        ),
        row(
            call!(|c| c.configurations().deployed("n", Environment::Prod)),
            "GET",
            "/configurations",
            "name=n&env=prod",
            none.clone(),
        ),
        row(
            call!(|c| async move { c.configurations().create(&configuration("m")).await }),
            "POST",
            "/configurations",
            "",
            json!({"name": "n", "type": "LLM", "provider": "openai", "env": ["prod"], "tags": ["t"],
                   "parameters": {"call_type": "chat", "model": "m", "template": "Hi"}}),
        ),
        row(
            call!(|c| async move { c.configurations().replace("id", &configuration("m")).await }),
            "PUT",
            "/configurations/id",
            "",
            json!({"name": "n", "type": "LLM", "provider": "openai", "env": ["prod"], "tags": ["t"],
                   "parameters": {"call_type": "chat", "model": "m", "template": "Hi"}}),
        ),
        row(
            call!(|c| c.configurations().delete("id")),
            "DELETE",
            "/configurations/id",
            "",
            none.clone(),
        ),
        row(
            call!(|c| async move {
                let filter = PairFilter::all()
                    .event_name("f")
                    .event_type(EventKind::Chain)
                    .page(1)
                    .limit(10);
                c.runs().compared_events(RUN, OTHER, &filter).await
            }),
            "GET",
            "/runs/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d/compare/11111111-2222-4333-8444-555555555555/events",
            "event_name=f&event_type=chain&page=1&limit=10",
            none.clone(),
        ),
        row(
            call!(|c| c.runs().delete(RUN)),
            "DELETE",
            "/runs/6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d",
            "",
            none,
        ),
    ]
}

/// Whether a call was answered makes no difference here: most of what it names is not there.
#[tokio::test]
async fn each_call_is_the_request_that_the_api_describes_with_the_key_that_the_route_takes() {
    let (server, client) = both();
    let project = client.in_project("proj/1");
    for row in rows() {
        for (client, prefix) in [(&client, "/v1"), (&project, "/v1/projects/proj%2F1")] {
            server.clear();
            drop((row.call)(client).await);
            let requests = server.requests();
            let request = requests.first().unwrap();
            let path = format!("{prefix}{}", row.path);
            assert_eq!(request.path, path);
            let is_scoped_update =
                row.path.starts_with("/runs") && row.method == "PUT" && prefix != "/v1";
            let method = if is_scoped_update {
                "PATCH"
            } else {
                row.method
            };
            assert_eq!(request.method, method, "{path}");
            assert_eq!(
                request.query.as_deref().unwrap_or_default(),
                row.query,
                "{path}"
            );
            assert_eq!(request.json.clone().unwrap_or_default(), row.body, "{path}");
            assert!(
                request.authorized,
                "{path}: the key is not the one of the route"
            );
            let agent = request.header("user-agent").unwrap_or_default();
            assert!(agent.starts_with("honeyhive-rust/"), "{agent}");
        }
    }
}

/// The test makes two runs over two datapoints, whose functions have these scores, and reads all that can be read of
/// them.
#[tokio::test]
async fn what_was_recorded_is_read_back_as_runs_events_and_comparisons() {
    let (server, client) = both();
    let tracer = builder(&server).build().unwrap();
    let mut runs = Vec::new();
    for (name, scores) in [("old", [0.25, 0.75]), ("new", [0.5, 1.0])] {
        let run = NewRun::named(name).passing_range("score", 0.5..);
        let run = client.runs().create(&run).await.unwrap().run_id;
        let mut sessions = Vec::new();
        for (index, score) in scores.into_iter().enumerate() {
            let facts = json!({"run_id": run, "datapoint_id": format!("d{index}")});
            let session = tracer.create_session(NewSession::named(name).metadata(&facts));
            let span = session
                .span("answer")
                .event_type("chain")
                .metadata(&facts)
                .start();
            span.metrics(json!({"score": score}));
            drop(span);
            sessions.push(session.id().to_string());
        }
        tracer.force_flush(PATIENCE).await.unwrap();
        let done = UpdateRun::new()
            .status(RunStatus::Completed)
            .event_ids(sessions);
        let updated = client.runs().update(&run, &done).await.unwrap();
        assert_eq!(
            (updated.run.status, updated.warning),
            (Some(RunStatus::Completed), None)
        );
        runs.push(run);
    }
    let (old, new) = (&runs[0], &runs[1]);
    let summary = client
        .runs()
        .summary(new, Aggregate::Average)
        .await
        .unwrap();
    let score = &summary.metrics.details[0];
    assert_eq!(
        (score.metric_name.as_str(), score.aggregate),
        ("score", Some(0.75))
    );
    assert_eq!((summary.passed.len(), summary.run.run_id), (2, new.clone()));
    let events = client.runs().metrics(old).await.unwrap();
    let scored = events
        .events
        .iter()
        .find(|it| it.metrics.contains_key("score"))
        .unwrap();
    assert!(
        scored.datapoint_id().is_some_and(|id| id.starts_with('d')),
        "{scored:?}"
    );
    let comparison = client
        .runs()
        .compare(new, old, Aggregate::Average)
        .await
        .unwrap();
    assert_eq!(comparison.common_datapoints.len(), 2);
    assert_eq!(comparison.metrics[0].difference, Some(0.25));
    assert_eq!(comparison.event_details[0].presence, Some(Presence::Both));
    let pairs = PairFilter::all().event_name("answer");
    let pairs = client
        .runs()
        .compared_events(new, old, &pairs)
        .await
        .unwrap();
    assert_eq!((pairs.total, pairs.events.len()), (2, 2));
    let newest = RunFilter::all().name("new").limit(1);
    assert_eq!(
        client.runs().list(&newest).await.unwrap().runs[0].run_id,
        *new
    );
    assert_eq!(
        client.runs().get(new).await.unwrap().name.as_deref(),
        Some("new")
    );

    let sessions = EventSearch::sessions().run(new.as_str());
    let sessions = client.events().search(sessions).all().await.unwrap();
    assert_eq!(sessions.len(), 2);
    let one = client
        .events()
        .get(&sessions[0].event_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (one.event_type, one.metadata["run_id"].as_str()),
        (EventKind::Session, Some(new.as_str()))
    );
    assert_eq!(client.events().get(OTHER).await.unwrap(), None);
}

#[tokio::test]
async fn a_search_goes_through_all_pages_and_gives_each_event_once() {
    let (server, client) = both();
    let tracer = builder(&server).build().unwrap();
    for name in 0..5 {
        tracer.create_session(format!("session {name}"));
    }
    tracer.force_flush(PATIENCE).await.unwrap();
    server.heal();
    let before = server.requests().len();
    let search = EventSearch::sessions().page_size(2);
    let mut found = client.events().search(search);
    let mut names = BTreeSet::new();
    while let Some(event) = found.next().await {
        assert!(names.insert(event.unwrap().event_name), "twice");
    }
    assert_eq!(names.len(), 5);
    assert_eq!(server.requests().len() - before, 3, "pages");
    server.fail(Fault::status(400));
    let mut failing = client.events().search(EventSearch::all());
    assert_eq!(
        failing.next().await.unwrap().unwrap_err().status(),
        Some(400)
    );
    assert_eq!(failing.next().await, None, "an error is the end");
}

#[tokio::test]
async fn a_prompt_that_was_had_once_stays_while_honeyhive_is_down() {
    let (server, client) = both();
    let prompt = client
        .deployed_prompt("n", Environment::Prod)
        .refreshed_after(Duration::ZERO);
    let error = prompt.get().await.unwrap_err();
    assert!(matches!(error, ClientError::NotDeployed { .. }), "{error}");
    let id = client
        .configurations()
        .create(&configuration("one"))
        .await
        .unwrap();
    assert_eq!(prompt.get().await.unwrap().parameters.model, "one");

    server.fail(Fault::status(500));
    for _ in 0..3 {
        assert_eq!(prompt.get().await.unwrap().parameters.model, "one");
    }
    let another = client.deployed_prompt("n", Environment::Prod);
    assert!(another.get().await.is_err(), "nothing was had yet");
    server.heal();
    client
        .configurations()
        .replace(&id, &configuration("two"))
        .await
        .unwrap();
    let fresh = client
        .deployed_prompt("n", Environment::Prod)
        .refreshed_after(Duration::ZERO);
    assert_eq!(fresh.get().await.unwrap().parameters.model, "two");
    client
        .configurations()
        .replace(&id, &configuration("three"))
        .await
        .unwrap();
    // The refresh happens in the background, and only when the prompt is asked for.
    let asked = tokio::time::Instant::now();
    while fresh.get().await.unwrap().parameters.model != "three" {
        assert!(asked.elapsed() < PATIENCE, "it is never refreshed");
        tokio::task::yield_now().await;
    }
}

/// Answers each connection with the next of these, and with the last for ever; counts them.
fn hostile(answers: Vec<Vec<u8>>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut length = 0;
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap_or_default() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let _ = lines.take(length).read_to_end(&mut Vec::new());
            let at = counted
                .fetch_add(1, Ordering::SeqCst)
                .min(answers.len() - 1);
            let _ = stream.write_all(&answers[at]);
        }
    });
    (url, count)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn client_of(url: &str) -> Client {
    let builder = Client::builder()
        .api_key(KEY)
        .data_plane_api_key(data_plane_key());
    builder.server_url(url).build().unwrap()
}

/// A hostile answer becomes an error; the row has the number of attempts.
#[tokio::test]
async fn an_answer_that_is_not_as_it_should_be_is_an_error_that_says_what_to_do_and_no_key() {
    let html = b"<!doctype html><html><body>Sign in</body></html>";
    let leak = format!("{{\"message\": \"who is {KEY}?\"}}");
    let leak = leak.as_bytes();
    let huge = vec![b' '; 65 * 1024 * 1024];
    let mut broken = answer("200 OK", "", &[b'['; 100]);
    broken.truncate(broken.len() - 50);
    for (answer, expected, tries) in [
        (
            answer("200 OK", "content-type: text/html\r\n", html),
            "it is a web page: is HH_API_URL",
            1,
        ),
        (answer("502 Bad Gateway", "", html), "status 502", 3),
        (
            answer("401 Unauthorized", "", leak),
            "refused the project key for GET /v1/datasets with status 401: who is <redacted>?; check HH_API_KEY",
            1,
        ),
        (answer("403 Forbidden", "", b"{}"), "with status 403", 1),
        (
            answer("404 Not Found", "", b"{\"error\": \"no\"}"),
            "refused GET /v1/datasets with status 404: no",
            1,
        ),
        (
            answer("429 Too Many", "retry-after: 120\r\n", b""),
            "try again in 120 s",
            1,
        ),
        (
            answer("308 Moved", "location: https://evil.example/x?k=1\r\n", b""),
            "it redirects to https://evil.example/x",
            1,
        ),
        (answer("200 OK", "", &huge), "more than 64 MiB", 1),
        (broken, "gave no answer", 3),
        (
            answer("200 OK", "", b"{\"datasets\": \"hh_x\"}"),
            "it is not as expected (expected a sequence)",
            1,
        ),
        (b"HTTP/9 what\r\n\r\n".to_vec(), "gave no answer", 3),
        (Vec::new(), "gave no answer", 3),
    ] {
        let (url, count) = hostile(vec![answer]);
        let client = client_of(&url);
        let error = client.datasets().list().await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains(KEY), "{said}");
        assert_eq!(count.load(Ordering::SeqCst), tries, "{said}");
    }
}

#[tokio::test]
async fn an_answer_may_say_more_and_less_than_this_version_knows() {
    let run = br#"{"evaluation": {"run_id": "r", "status": "paused", "metadata": null, "event_ids": null, "new": [1]}, "more": 1}"#;
    let (url, _) = hostile(vec![answer("200 OK", "", run)]);
    let run = client_of(&url).runs().get("r").await.unwrap();
    assert_eq!(run.status, Some(RunStatus::Other("paused".to_owned())));
    assert_eq!((run.run_id.as_str(), run.event_ids.len()), ("r", 0));

    let summary = br#"{"status": "completed", "success": true, "metrics": {"details": [
        {"metric_name": "m", "metric_type": "QUANTUM", "aggregate": "0.5", "values": [true, null, "x"]}]}}"#;
    let (url, _) = hostile(vec![answer("200 OK", "", summary)]);
    let summary = client_of(&url)
        .runs()
        .summary("r", Aggregate::Median)
        .await
        .unwrap();
    let detail = &summary.metrics.details[0];
    assert_eq!(
        detail.metric_type,
        Some(MetricKind::Other("QUANTUM".to_owned()))
    );
    assert_eq!((detail.aggregate, detail.values.len()), (Some(0.5), 3));

    let event = br#"{"event": {"event_id": "e", "event_type": "quantum", "outputs": "text", "error": {"code": 7},
        "inputs": null, "start_time": "12", "evaluations": {"e": {"score": 1}}}}"#;
    let (url, _) = hostile(vec![answer("200 OK", "", event)]);
    let event = client_of(&url).events().get("e").await.unwrap().unwrap();
    assert_eq!(event.event_type, EventKind::Other("quantum".to_owned()));
    assert_eq!(event.outputs["value"], json!("text"));
    assert_eq!(event.error.as_deref(), Some(r#"{"code":7}"#));
    assert_eq!((event.start_time, event.evaluations.len()), (Some(12.0), 1));

    let (url, _) = hostile(vec![answer("200 OK", "", br#"[{"id": "d"}]"#)]);
    assert_eq!(client_of(&url).datasets().list().await.unwrap()[0].id, "d");
    let (url, _) = hostile(vec![answer(
        "200 OK",
        "",
        br#"{"success": true, "data": {"run_id": "r"}}"#,
    )]);
    assert_eq!(
        client_of(&url)
            .runs()
            .create(&NewRun::named("n"))
            .await
            .unwrap()
            .run_id,
        "r"
    );
}

#[tokio::test]
async fn older_routes_of_a_summary_and_a_comparison_are_taken_where_there_are_no_newer_ones() {
    let gone = answer("404 Not Found", "", b"{}");
    let summary = answer("200 OK", "", br#"{"status": "completed"}"#);
    let (url, count) = hostile(vec![gone.clone(), summary]);
    let summary = client_of(&url)
        .runs()
        .summary(RUN, Aggregate::Average)
        .await
        .unwrap();
    assert_eq!(
        (summary.status.as_str(), count.load(Ordering::SeqCst)),
        ("completed", 2)
    );
    let comparison = answer("200 OK", "", br#"{"commonDatapoints": ["d"]}"#);
    let (url, _) = hostile(vec![gone, comparison]);
    let comparison = client_of(&url)
        .runs()
        .compare(RUN, OTHER, Aggregate::Average)
        .await
        .unwrap();
    assert_eq!(comparison.common_datapoints, ["d"]);
}

#[tokio::test]
async fn what_could_be_done_twice_is_tried_once_and_the_rest_three_times() {
    let (server, client) = both();
    server.fail(Fault::status(500));
    let dataset = NewDataset::named("n");
    assert!(client.datasets().create(&dataset).await.is_err());
    assert_eq!(calls(&server), ["POST /v1/datasets"]);
    server.clear();
    assert!(client.runs().create(&NewRun::named("n")).await.is_err());
    assert_eq!(calls(&server), ["POST /v1/runs"; 3], "under one id");
    let ids: BTreeSet<_> = server
        .requests()
        .iter()
        .map(|it| it.json.clone().unwrap()["run_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    server.heal();
    server.clear();
    server.fail(Fault::status(429).header("retry-after", "0").times(1));
    client.datasets().create(&dataset).await.unwrap();
    assert_eq!(
        calls(&server),
        ["POST /v1/datasets"; 2],
        "nothing was done the first time"
    );
}

#[tokio::test]
async fn a_key_stands_in_for_no_other() {
    let error = Client::builder().build().unwrap_err();
    assert!(matches!(error, BuildError::MissingClientKey), "{error}");
    let (server, _) = both();
    let classic = Client::builder()
        .api_key(KEY)
        .server_url(server.url())
        .build()
        .unwrap();
    let error = classic.in_project("p").datasets().list().await.unwrap_err();
    assert!(
        error.to_string().contains("takes a data plane key"),
        "{error}"
    );
    assert!(
        matches!(
            error,
            ClientError::MissingKey {
                key: KeyKind::DataPlane,
                ..
            }
        ),
        "{error}"
    );
    let scoped = Client::builder()
        .data_plane_api_key(data_plane_key())
        .server_url(server.url());
    let scoped = scoped.build().unwrap();
    let error = scoped.datasets().list().await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::MissingKey {
                key: KeyKind::Project,
                ..
            }
        ),
        "{error}"
    );
    assert!(calls(&server).is_empty(), "nothing was sent");

    let ingestion = format!("hh_ingst_{}_{}", "a1".repeat(12), "Zz_-".repeat(16));
    let mistaken = Client::builder()
        .api_key(&ingestion)
        .server_url(server.url())
        .build()
        .unwrap();
    let error = mistaken.datasets().list().await.unwrap_err();
    let said = format!("{error} {error:?} {mistaken:?}");
    assert!(
        said.contains("refused the ingestion key")
            && said.contains("takes a project key: set HH_API_KEY"),
        "{said}"
    );
    assert!(!said.contains(&ingestion), "{said}");
    let (url, _) = hostile(vec![answer("404 Not Found", "", b"{}")]);
    let error = client_of(&url)
        .in_project("p")
        .datasets()
        .list()
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("is the project's id right"),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_anything_is() {
    let (server, client) = both();
    for error in [
        client.runs().get(" ").await.unwrap_err(),
        client.runs().get("..").await.unwrap_err(),
        client.in_project("").runs().get(RUN).await.unwrap_err(),
        client
            .datapoints()
            .create(&NewDatapoint::new("a text"))
            .await
            .map(drop)
            .unwrap_err(),
        client
            .events()
            .search(EventSearch::all().filter("f", Operator::Is, [1]))
            .all()
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert!(matches!(error, ClientError::Invalid { .. }), "{error}");
    }
    assert!(calls(&server).is_empty());
}

#[test]
fn a_call_needs_no_runtime_and_goes_on_though_its_future_is_dropped() {
    let (server, client) = both();
    let dataset = block_on(client.datasets().create(&NewDataset::named("n"))).unwrap();
    let before = server.requests().len();
    {
        let datasets = client.datasets();
        let deleting = pin!(datasets.delete(&dataset));
        let polled = deleting.poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
    drop(client);
    let is_done = |server: &LocalServer| {
        let requests = server.requests();
        requests
            .get(before)
            .is_some_and(|it| it.status == Some(200))
    };
    assert!(server.wait_until_blocking(PATIENCE, is_done));
    let expected = format!("DELETE /v1/datasets/{dataset}");
    assert_eq!(calls(&server)[before..], [expected]);
}

#[tokio::test]
async fn a_client_ends_with_its_tracer_and_test_mode_has_runs_only() {
    let (server, _) = both();
    let tracer = builder(&server).build().unwrap();
    let client = tracer.client();
    assert_eq!(client.datasets().list().await.unwrap(), []);
    tracer.shutdown(PATIENCE).await.unwrap();
    for client in [client, HoneyHiveTracer::disabled().client()] {
        let error = client.datasets().list().await.unwrap_err();
        assert!(matches!(error, ClientError::ShutDown { .. }), "{error}");
    }
    let client = Client::builder().test_mode(true).build().unwrap();
    let run = client.runs().create(&NewRun::named("n")).await.unwrap();
    let done = UpdateRun::new().status(RunStatus::Cancelled);
    let updated = client.runs().update(&run.run_id, &done).await.unwrap().run;
    assert_eq!(
        (updated.run_id, updated.status),
        (run.run_id, Some(RunStatus::Cancelled))
    );
    let error = client.datasets().list().await.unwrap_err();
    assert!(matches!(error, ClientError::TestMode { .. }), "{error}");
}

#[tokio::test]
async fn a_hundred_and_one_datapoints_are_two_calls_and_come_in_the_order_of_their_ids() {
    let (server, client) = both();
    let rows: Vec<Value> = (0..101).map(|it| json!({"q": it})).collect();
    let dataset = client
        .datasets()
        .create(&NewDataset::named("n"))
        .await
        .unwrap();
    let mapping = FieldMapping::inputs(["q"]);
    let mut ids = client
        .datasets()
        .add_rows(&dataset, &rows, &mapping)
        .await
        .unwrap();
    ids.reverse();
    ids.insert(50, "nobody's".to_owned());
    let before = calls(&server).len();
    let found = client.datapoints().get_many(&ids).await.unwrap();
    assert_eq!(calls(&server)[before..], ["GET /v1/datapoints"; 2]);
    ids.remove(50);
    assert!(found.iter().map(|it| &it.id).eq(&ids));
    assert_eq!(found[0].inputs["q"], json!(100));
}
