//! Secrets are masked in what is sent, in the journal and in the report; keys are nowhere.

use honeyhive::evaluate::{Case, Dataset, Score};
use honeyhive::{HoneyHiveTracer, Redaction, json};
use serde_json::Value;

use crate::stage::{Echo, Stage};
use integration_tests::harness::local_server;

const SECRET: &str = "4111111111111111";
const KEY: &str = "hh_a_key_that_is_planted";

#[tokio::test]
async fn planted_secrets_are_masked_in_requests_journal_and_report_and_the_key_is_nowhere() {
    let honeyhive = local_server().start().await.unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(honeyhive.url())
        .redaction(Redaction::new().pattern(r"\b\d{16}\b"))
        .build()
        .unwrap();
    let stage = Stage { honeyhive, tracer };
    let folder = std::env::temp_dir().join(format!("honeyhive-secrets-{}", std::process::id()));
    let row = (
        json!({"card": SECRET}),
        Some(json!({"card": SECRET, "password": SECRET})),
    );
    let report = honeyhive::evaluate(async |dp: Echo| {
        if dp.id().ends_with("fails") {
            Err(format!("no card {SECRET}"))
        } else {
            Ok(json!({"said": dp.inputs()["card"]}))
        }
    })
    .dataset(Dataset::new([
        honeyhive::evaluate::Row::from(row.clone()),
        honeyhive::evaluate::Row::from(row).id("fails"),
    ]))
    .evaluator("judge", |_: Case<Value, Value, Value>| {
        Score::new(SECRET)
            .explanation(format!("has {SECRET}"))
            .extra("x", SECRET)
    })
    .evaluator("broken", |_: Case<Value, Value, Value>| {
        Err::<bool, _>(format!("no {SECRET}"))
    })
    .journal_in(&folder)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    let journal =
        std::fs::read_to_string(folder.join(format!("{}.jsonl", report.run_id()))).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let requests: Vec<_> = stage
        .honeyhive
        .requests()
        .into_iter()
        .map(|request| String::from_utf8_lossy(&request.body).into_owned())
        .collect();
    for (what, text) in [
        ("requests", requests.concat()),
        ("journal", journal),
        ("markdown", report.markdown()),
        ("json", report.json().to_string()),
        ("text", report.to_string()),
        ("debug", format!("{report:?}")),
    ] {
        assert!(!text.contains(SECRET), "{what}: {text}");
        assert!(!text.contains(KEY), "{what} has the key");
        assert!(
            text.contains("<redacted>") || text.contains("redacted") || what == "text",
            "{what}: {text}"
        );
    }
}

#[tokio::test]
async fn an_error_of_the_run_names_the_key_it_used_and_never_the_key() {
    let honeyhive = local_server()
        .api_key("hh_the_right_one")
        .start()
        .await
        .unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(honeyhive.url())
        .build()
        .unwrap();
    let run = honeyhive::evaluate(crate::stage::right)
        .dataset(crate::stage::numbered(1))
        .tracer(&tracer);
    let error = format!("{:?}", run.await.unwrap_err());
    assert!(
        error.contains("401") && error.contains("key") && !error.contains(KEY),
        "{error}"
    );
}
