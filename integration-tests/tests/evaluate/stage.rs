//! The tests have in common a HoneyHive, a tracer for it, and small functions and datasets.

use honeyhive::evaluate::{Case, Datapoint, Dataset, Evaluate, ExperimentReport, Outcome};
use honeyhive::{HoneyHiveTracer, json};
use honeyhive_local::{LocalEvent, LocalRun, LocalServer, LocalSession};
use integration_tests::harness::local_server;

pub(crate) use integration_tests::harness::PATIENCE;
use serde_json::Value;

/// Returns the outcome of each trial, in order.
pub(crate) fn outcomes(report: &ExperimentReport) -> Vec<Outcome> {
    let trials = report.datapoints().iter();
    trials.map(|trial| trial.outcome()).collect()
}

pub(crate) struct Stage {
    pub(crate) honeyhive: LocalServer,
    pub(crate) tracer: HoneyHiveTracer,
}

/// An `Echo` is a datapoint of `json!` values.
pub(crate) type Echo = Datapoint<Value, Value>;

impl Stage {
    pub(crate) async fn new() -> Self {
        let honeyhive = local_server().start().await.unwrap();
        let tracer = tracer(&honeyhive);
        Self { honeyhive, tracer }
    }

    pub(crate) fn run(&self) -> LocalRun {
        let mut runs = self.honeyhive.runs();
        assert_eq!(runs.len(), 1, "{runs:#?}");
        runs.remove(0)
    }

    pub(crate) fn only_session(&self) -> LocalSession {
        let mut sessions = self.honeyhive.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        sessions.remove(0)
    }

    pub(crate) fn events(&self, session: &LocalSession) -> Vec<LocalEvent> {
        self.honeyhive.events(&session.session_id)
    }

    /// Returns the events of one name in the only session, in their order.
    pub(crate) fn events_named(&self, name: &str) -> Vec<LocalEvent> {
        let events = self.events(&self.only_session());
        events
            .into_iter()
            .filter(|event| event.event_name == name)
            .collect()
    }

    pub(crate) fn calls(&self, method: &str, path: &str) -> usize {
        let requests = self.honeyhive.requests();
        let is_meant =
            |method_of: &str, path_of: &str| method_of == method && path_of.starts_with(path);
        requests
            .iter()
            .filter(|request| is_meant(&request.method, &request.path))
            .count()
    }
}

pub(crate) fn tracer(honeyhive: &LocalServer) -> HoneyHiveTracer {
    HoneyHiveTracer::builder()
        .api_key("hh_evaluate")
        .server_url(honeyhive.url())
        .build()
        .unwrap()
}

/// Returns the inputs `{"q": 0}`, `{"q": 1}`, …; the expected outputs are `{"a": 0}`, `{"a": 1}`, ….
pub(crate) fn numbered(n: usize) -> Dataset {
    Dataset::new((0..n).map(|q| (json!({"q": q}), Some(json!({"a": q})))))
}

pub(crate) fn q(dp: &Echo) -> u64 {
    dp.inputs()["q"].as_u64().unwrap()
}

/// Answers the expected `{"a": q}`.
pub(crate) async fn right(dp: Echo) -> Result<Value, String> {
    Ok(json!({"a": q(&dp)}))
}

pub(crate) fn exact(case: Case<Value, Value, Value>) -> Option<bool> {
    Some(case.outputs() == case.ground_truth()?)
}

/// Returns a run of the right function over so many datapoints.
pub(crate) fn evaluation(stage: &Stage, n: usize) -> Evaluate<Value, Value, Value> {
    staged(honeyhive::evaluate(right), stage, n)
}

/// Returns a run of a function over so many datapoints, judged by the expected outputs.
pub(crate) fn staged(
    evaluate: Evaluate<Value, Value, Value>,
    stage: &Stage,
    n: usize,
) -> Evaluate<Value, Value, Value> {
    evaluate
        .dataset(numbered(n))
        .evaluator("exact", exact)
        .tracer(&stage.tracer)
}
