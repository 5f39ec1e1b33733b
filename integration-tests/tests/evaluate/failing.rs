//! Functions and evaluators fail: each failure is told, and none is a zero.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use honeyhive::evaluate::{
    Case, ErrorLimit, Gate, GateOutcome, MetricResult, Outcome, Retry, RunStatus,
};
use honeyhive::json;
use serde_json::Value;

use crate::stage::{Echo, Stage, evaluation, exact, numbered, outcomes, q, right};

type AnyCase = Case<Value, Value, Value>;

#[tokio::test]
async fn a_panic_in_the_function_is_its_outcome_and_the_others_finish() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(async |dp: Echo| {
        assert_ne!(q(&dp), 1, "one is one too many {}", "!".repeat(5000));
        Ok::<_, String>(dp.inputs().clone())
    })
    .dataset(numbered(3))
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(
        outcomes(&report),
        [Outcome::Ok, Outcome::Panicked, Outcome::Ok]
    );
    assert_eq!(report.status(), RunStatus::Completed);
    let session = stage
        .honeyhive
        .session(report.datapoints()[1].session_id().unwrap())
        .unwrap();
    let error = session
        .error
        .clone()
        .or_else(|| session.metadata.get("error")?.as_str().map(str::to_owned))
        .unwrap();
    assert!(
        error.contains("one is one too many") && error.len() <= 1100,
        "{error}"
    );
    assert!(report.datapoints()[1].error().unwrap().len() <= 1024);
}

#[tokio::test]
async fn an_evaluator_that_panics_or_fails_is_an_error_of_that_metric_and_the_others_are_there() {
    let stage = Stage::new().await;
    let report = evaluation(&stage, 2)
        .evaluator("panics", |_: AnyCase| -> bool { panic!("no judge") })
        .evaluator("panics_later", async |_: AnyCase| -> bool {
            panic!("no judge later")
        })
        .evaluator("fails", async |_: AnyCase| {
            Err::<bool, _>("the judge is down")
        })
        .evaluator("nan", |_: AnyCase| f64::NAN)
        .evaluator("infinite", async |_: AnyCase| f64::INFINITY)
        .evaluator("nothing", |_: AnyCase| None::<f64>)
        .await
        .unwrap();
    for name in ["panics", "panics_later", "fails", "nan", "infinite"] {
        let metric = report.metric(name).unwrap();
        assert_eq!(
            (metric.n, metric.errors, metric.skipped, metric.estimate),
            (0, 2, 0, None),
            "{name}"
        );
        assert!(matches!(
            report.datapoints()[0].metrics()[name],
            MetricResult::Error(_)
        ));
    }
    let nothing = report.metric("nothing").unwrap();
    assert_eq!(
        (nothing.n, nothing.errors, nothing.skipped, nothing.estimate),
        (0, 0, 2, None)
    );
    assert_eq!(report.metric("exact").unwrap().estimate, Some(1.0));
    let session = &stage.honeyhive.sessions()[0];
    let events = stage.events(session);
    for (name, text) in [
        ("panics", "no judge"),
        ("panics_later", "no judge later"),
        ("fails", "the judge is down"),
        ("nan", "NaN"),
    ] {
        let span_name = format!("evaluator: {name}");
        let mut spans = events.iter().filter(|event| event.event_name == span_name);
        let (span, more) = (spans.next().expect(name), spans.next());
        let error = span.error.as_deref().unwrap_or_default();
        assert!(error.contains(text), "{name}: {error}");
        assert!(more.is_none(), "{name}");
    }
    let without_span = ["evaluator: nothing", "evaluator: exact"];
    assert!(
        !events
            .iter()
            .any(|event| without_span.contains(&event.event_name.as_str()))
    );
    let call = events
        .into_iter()
        .find(|event| event.event_name == "right")
        .unwrap();
    assert_eq!(
        call.metrics.keys().collect::<Vec<_>>(),
        ["exact"],
        "no value is ever made up"
    );
    let page = report.markdown();
    assert!(
        page.contains("the judge is down")
            && page.contains("2 skipped")
            && page.contains("2 errors"),
        "{page}"
    );
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_dropped_at_its_deadline_and_so_is_an_evaluator() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(async |dp: Echo| {
        if q(&dp) == 0 {
            std::future::pending::<()>().await;
        }
        Ok::<_, String>(dp.inputs().clone())
    })
    .dataset(numbered(2))
    .evaluator("slow", async |_: AnyCase| {
        std::future::pending::<()>().await;
        true
    })
    .timeout(Duration::from_millis(100))
    .evaluator_timeout(Duration::from_millis(100))
    .max_workers(1)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    let [first, second] = report.datapoints() else {
        panic!("two datapoints")
    };
    assert_eq!(
        (first.outcome(), second.outcome()),
        (Outcome::TimedOut, Outcome::Ok),
        "its worker was free for the second"
    );
    assert!(first.latency().unwrap() >= Duration::from_millis(100));
    assert!(
        matches!(&second.metrics()["slow"], MetricResult::Error(error) if error.contains("took longer than 100ms"))
    );
    assert_eq!(stage.honeyhive.sessions().len(), 2);
}

/// `Alive` notes how long it was alive.
struct Alive(tokio::time::Instant, Arc<std::sync::Mutex<Vec<Duration>>>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_100_ms_ends_a_sleeping_function_and_a_sleeping_evaluator_within_150() {
    let lives = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sleep = |lives: &Arc<std::sync::Mutex<Vec<Duration>>>| {
        let alive = Alive(tokio::time::Instant::now(), Arc::clone(lives));
        async move {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            drop(alive);
        }
    };
    let (of_function, of_evaluator) = (Arc::clone(&lives), Arc::clone(&lives));
    let report = honeyhive::evaluate(async move |dp: Echo| {
        if q(&dp) == 0 {
            sleep(&of_function).await;
        }
        Ok::<_, String>(dp.inputs().clone())
    })
    .dataset(numbered(2))
    .evaluator("slow", async move |_: AnyCase| {
        sleep(&of_evaluator).await;
        true
    })
    .timeout(Duration::from_millis(100))
    .evaluator_timeout(Duration::from_millis(100))
    .offline()
    .await
    .unwrap();
    assert_eq!(outcomes(&report), [Outcome::TimedOut, Outcome::Ok]);
    assert_eq!(report.metric("slow").unwrap().errors, 1);
    let lives = lives.lock().unwrap();
    let (least, most) = (Duration::from_millis(100), Duration::from_millis(150));
    assert_eq!(lives.len(), 2);
    assert!(
        lives.iter().all(|it| (least..=most).contains(it)),
        "{lives:?}"
    );
}

#[tokio::test]
async fn a_function_that_fails_twice_is_one_session_with_three_spans_and_metrics_on_the_last() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(async |dp: Echo| {
        if dp.attempt() < 3 {
            Err(format!("attempt {}", dp.attempt()))
        } else {
            Ok(json!({"a": q(&dp)}))
        }
    })
    .function_name("flaky")
    .dataset(numbered(1))
    .evaluator("exact", exact)
    .retries(2)
    .retry_if(|_| Retry::after(Duration::from_millis(1)))
    .tracer(&stage.tracer)
    .await
    .unwrap();
    let trial = &report.datapoints()[0];
    assert_eq!(
        (trial.outcome(), trial.attempts(), trial.is_flaky()),
        (Outcome::Ok, 3, true)
    );
    assert!(report.to_string().contains("1 flaky"), "{report}");
    assert_eq!(stage.only_session().metadata["attempts"], 3);
    let calls = stage.events_named("flaky");
    let errors: Vec<_> = calls.iter().map(|call| call.error.as_deref()).collect();
    assert_eq!(errors, [Some("attempt 1"), Some("attempt 2"), None]);
    let metrics: Vec<_> = calls
        .iter()
        .map(|call| call.metrics.contains_key("exact"))
        .collect();
    assert_eq!(metrics, [false, false, true]);
}

#[tokio::test]
async fn other_datapoints_run_while_one_waits_to_run_again() {
    let stage = Stage::new().await;
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let report = honeyhive::evaluate(async move |dp: Echo| {
        match (q(&dp), dp.attempt()) {
            (0, 1) => Err("not yet".to_owned()),
            // The only worker reaches this point with the others done if it was free for them.
            (0, _) if count.load(Ordering::SeqCst) == 9 => Ok(true),
            (0, _) => Err("the others waited".to_owned()),
            _ => {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(true)
            }
        }
    })
    .dataset(numbered(10))
    .max_workers(1)
    .retries(1)
    .retry_if(|_| Retry::after(Duration::from_millis(300)))
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(report.errors(), 0, "{report}");
}

#[tokio::test]
async fn only_failures_that_are_worth_it_are_tried_again() {
    let stage = Stage::new().await;
    let report =
        honeyhive::evaluate(async |_: Echo| Err::<(), _>(std::io::Error::other("bad input")))
            .dataset(numbered(1))
            .retries(5)
            .retry_if(|error| !error.is::<std::io::Error>())
            .tracer(&stage.tracer)
            .await
            .unwrap();
    assert_eq!(report.datapoints()[0].attempts(), 1);
}

#[tokio::test]
async fn a_run_without_a_success_or_with_too_many_errors_is_failed() {
    let stage = Stage::new().await;
    let fails = async |dp: Echo| if q(&dp) < 3 { Err("no") } else { Ok(true) };
    let all = honeyhive::evaluate(fails)
        .dataset(numbered(3))
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(all.status(), RunStatus::Failed);
    let some = honeyhive::evaluate(fails)
        .dataset(numbered(6))
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(some.status(), RunStatus::Completed);
    let limited = honeyhive::evaluate(fails)
        .dataset(numbered(100))
        .max_errors(ErrorLimit::Count(2))
        .max_workers(1)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(
        (limited.status(), limited.count(Outcome::NotRun)),
        (RunStatus::Failed, 97)
    );
    let shared = honeyhive::evaluate(fails)
        .dataset(numbered(100))
        .max_errors(0.03)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(shared.status(), RunStatus::Completed);
    let statuses: Vec<_> = stage
        .honeyhive
        .runs()
        .into_iter()
        .map(|run| run.status)
        .collect();
    assert_eq!(statuses, ["failed", "completed", "failed", "completed"]);
}

#[tokio::test]
async fn a_gate_that_fails_leaves_the_run_completed() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(async |_: Echo| Ok::<_, String>(json!({"a": -1})))
        .dataset(numbered(3))
        .evaluator("exact", exact)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    let verdicts = report.gate([Gate::mean("exact").at_least(0.5)]);
    assert_eq!(
        verdicts
            .iter()
            .map(|verdict| verdict.outcome)
            .collect::<Vec<_>>(),
        [GateOutcome::Fail]
    );
    assert_eq!(
        (report.status(), stage.run().status.as_str()),
        (RunStatus::Completed, "completed")
    );
    let panic = std::panic::catch_unwind(|| report.assert([Gate::mean("exact").at_least(0.5)]))
        .unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(
        text.contains("FAIL  mean of exact") && text.contains("exact   3"),
        "{text}"
    );
}

#[tokio::test]
async fn a_metric_that_two_have_is_told_and_an_evaluator_is_asked_again() {
    let stage = Stage::new().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let report = honeyhive::evaluate(right)
        .dataset(numbered(1))
        .evaluator("a", |_: AnyCase| {
            honeyhive::evaluate::Score::new(1.0).extra("b", 2.0)
        })
        .evaluator("a_b", |_: AnyCase| 3.0)
        .evaluator("third_time", move |_: AnyCase| {
            if count.fetch_add(1, Ordering::SeqCst) < 2 {
                Err("again")
            } else {
                Ok(true)
            }
        })
        .evaluator_retries(2)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    let metrics = report.datapoints()[0].metrics();
    assert!(
        matches!(&metrics["a"], MetricResult::Error(error) if error.contains("a_b")),
        "{metrics:?}"
    );
    assert_eq!(metrics["a_b"].value().unwrap().as_number(), Some(3.0));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(
        metrics["third_time"].value().unwrap().as_number(),
        Some(1.0)
    );
}
