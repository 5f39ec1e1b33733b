//! The typed client, on a real socket: each route, both kinds of key, and answers that are not as they should be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

#[path = "core/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::pin::Pin;
use std::time::Duration;

use honeyhive::client::*;
use honeyhive::{BuildError, HoneyHiveTracer};
use honeyhive_local::{Fault, LocalServer};
use serde_json::{Value, json};
use support::*;

const RUN: &str = "6f1f2c1e-9d2b-4c7a-8a55-0d7f6f1b2c3d";
const OTHER: &str = "11111111-2222-4333-8444-555555555555";

fn data_plane_key() -> String {
    format!("hh_fgdp_{}_{}", "a1".repeat(12), "Zz_-".repeat(16))
}

/// A HoneyHive with both kinds of key, and a client that has both.
fn both() -> (LocalServer, Client) {
    let server = LocalServer::builder()
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

/// A call, which says what came of it as far as a row looks at that.
macro_rules! call {
    (|$client:ident| $call:expr) => {
        |$client: &Client| -> Asking<'_> {
            Box::pin(async move { $call.await.map(|it| json!(format!("{it:?}"))) })
        }
    };
}

/// What is called, and the request that it has to be. `P` is the beginning of the path.
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
