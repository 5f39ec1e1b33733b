//! A datapoint can have several trials.

use honeyhive::evaluate::{Dataset, Row};
use honeyhive::json;

use crate::stage::{Echo, Stage, exact, numbered, q};

#[tokio::test]
async fn three_trials_are_three_sessions_of_one_datapoint_and_one_unit_of_the_numbers() {
    let stage = Stage::new().await;
    // Datapoint q is right in q of three trials.
    let report = honeyhive::evaluate(async |dp: Echo| {
        let is_right = u64::from(dp.trial()) < q(&dp);
        Ok::<_, String>(json!({"a": if is_right { q(&dp) } else { 99 }}))
    })
    .dataset(numbered(4))
    .evaluator("exact", exact)
    .trials(3)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(
        (report.datapoints().len(), stage.honeyhive.sessions().len()),
        (12, 12)
    );
    let metric = report.metric("exact").unwrap();
    assert_eq!((metric.n, metric.estimate), (4, Some(0.5)));
    let ids: std::collections::BTreeSet<_> = report
        .datapoints()
        .iter()
        .map(|trial| trial.datapoint_id())
        .collect();
    assert_eq!(ids.len(), 4);
    // The shares are 0, 1/3, 2/3 and 1; of any two trials one is right in 0, 2/3, 1 and 1 of the choices.
    assert!((report.pass_at_k("exact", 2).unwrap() - (2.0 / 3.0 + 2.0) / 4.0).abs() < 1e-12);
    assert!((report.pass_all_k("exact", 2).unwrap() - (1.0 / 3.0 + 1.0) / 4.0).abs() < 1e-12);
    let mut trials: Vec<_> = stage
        .honeyhive
        .sessions()
        .iter()
        .map(|session| session.metadata["trial"].as_u64().unwrap())
        .collect();
    trials.sort_unstable();
    assert_eq!(trials, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    assert_eq!(stage.run().configuration["trials"], 3);
}

#[tokio::test]
async fn a_datapoint_may_have_its_own_number_of_trials_and_a_retry_is_no_trial() {
    let stage = Stage::new().await;
    let rows = Dataset::new([
        Row::new(json!({"q": 0})).trials(3),
        Row::new(json!({"q": 1})),
    ]);
    let report = honeyhive::evaluate(async |dp: Echo| {
        if dp.attempt() == 1 {
            Err("again")
        } else {
            Ok(true)
        }
    })
    .dataset(rows)
    .retries(1)
    .retry_if(|_| honeyhive::evaluate::Retry::after(std::time::Duration::ZERO))
    .tracer(&stage.tracer)
    .await
    .unwrap();
    let trials: Vec<_> = report
        .datapoints()
        .iter()
        .map(|trial| trial.trial())
        .collect();
    assert_eq!(trials, [0, 1, 2, 0]);
    assert_eq!(stage.honeyhive.sessions().len(), 4);
}
