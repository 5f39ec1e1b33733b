//! Project-scoped runs have two keys, neither of which stands in for the other.

use honeyhive::HoneyHiveTracer;
use honeyhive::evaluate::{EvaluateError, RunStatus};

use crate::stage::{numbered, right};
use integration_tests::harness::local_server;

fn data_plane_key() -> String {
    format!("hh_fgdp_{}_{}", "a".repeat(24), "b".repeat(64))
}

fn ingestion_key() -> String {
    format!("hh_ingst_{}_{}", "a".repeat(24), "b".repeat(64))
}

#[tokio::test]
async fn each_path_goes_out_with_its_key_and_the_update_is_a_patch() {
    let honeyhive = local_server()
        .data_plane_api_key(data_plane_key())
        .ingestion_api_key(ingestion_key())
        .start()
        .await
        .unwrap();
    let tracer = HoneyHiveTracer::builder()
        .data_plane_api_key(data_plane_key())
        .ingestion_api_key(ingestion_key())
        .server_url(honeyhive.url())
        .build()
        .unwrap();
    let report = honeyhive::evaluate(right)
        .dataset(numbered(2))
        .project_id("proj_42")
        .tracer(&tracer)
        .await
        .unwrap();
    assert_eq!(report.status(), RunStatus::Completed);
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    let requests = honeyhive.requests();
    assert!(
        requests.iter().all(|request| request.authorized),
        "{requests:#?}"
    );
    let runs: Vec<_> = requests
        .iter()
        .filter(|request| request.path.contains("/runs"))
        .collect();
    let calls: Vec<_> = runs
        .iter()
        .map(|request| (request.method.as_str(), request.path.clone()))
        .collect();
    let base = "/v1/projects/proj_42/runs";
    assert_eq!(
        calls,
        [
            ("POST", base.to_owned()),
            ("PATCH", format!("{base}/{}", report.run_id()))
        ]
    );
}

#[tokio::test]
async fn a_missing_key_of_either_kind_is_told_before_anything_is_sent() {
    let honeyhive = local_server().start().await.unwrap();
    let without_data_plane = HoneyHiveTracer::builder()
        .ingestion_api_key(ingestion_key())
        .server_url(honeyhive.url());
    let without_ingestion = HoneyHiveTracer::builder()
        .api_key("hh_project")
        .data_plane_api_key(data_plane_key())
        .server_url(honeyhive.url());
    for (builder, variable) in [
        (without_data_plane, "HH_DATA_PLANE_API_KEY"),
        (without_ingestion, "HH_INGESTION_API_KEY"),
    ] {
        let tracer = builder.build().unwrap();
        let run = honeyhive::evaluate(right)
            .dataset(numbered(1))
            .project_id("proj_42")
            .tracer(&tracer);
        let error = run.await.unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains(variable), "{text}");
        assert!(matches!(
            error,
            EvaluateError::Run(_) | EvaluateError::Config(_)
        ));
    }
    assert_eq!(honeyhive.requests().len(), 0);
}
