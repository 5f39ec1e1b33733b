//! Some settings are refused before anything is sent.

use honeyhive::evaluate::{Case, Dataset, Evaluate, EvaluateError, Row};
use honeyhive::json;
use serde_json::Value;

use crate::stage::{Stage, exact, numbered, right};

type Run = Evaluate<Value, Value, Value>;

#[tokio::test]
async fn names_ids_and_settings_that_cannot_be_used_are_refused_before_any_call() {
    let stage = Stage::new().await;
    let nan = |_: Case<Value, Value, Value>| true;
    let run = || {
        honeyhive::evaluate(right)
            .dataset(numbered(1))
            .evaluator("exact", exact)
            .tracer(&stage.tracer)
    };
    let refused: [(Run, &str); 10] = [
        (
            run().evaluator("exact", nan),
            "two evaluators are called \"exact\"",
        ),
        (run().evaluator(" ", nan), "blank"),
        (
            run().evaluator("exact_explanation", nan),
            "the explanation of \"exact\"",
        ),
        (run().name(" "), "blank name"),
        (run().max_workers(0), "would run nothing"),
        (run().trials(0), "would run nothing"),
        (run().run_id("undefined"), "says nothing"),
        (
            run().dataset(Dataset::new([Row::new(1).id("a"), Row::new(2).id("a")])),
            "have one id",
        ),
        (run().dataset(Dataset::new(Vec::<Row>::new())), "no rows"),
        (
            honeyhive::evaluate(right).tracer(&stage.tracer),
            "no dataset",
        ),
    ];
    for (run, part) in refused {
        let error = run.await.unwrap_err();
        assert!(
            format!("{error:?}").contains(part),
            "{error:?} does not say {part:?}"
        );
    }
    assert_eq!(stage.honeyhive.requests().len(), 0);
}

#[tokio::test]
async fn a_row_that_does_not_fit_the_function_is_told_with_its_place() {
    let stage = Stage::new().await;
    let rows = Dataset::new([(json!(1), Some(json!(2))), (json!("x"), None)]);
    let run = honeyhive::evaluate(async |dp: honeyhive::evaluate::Datapoint<u32, u32>| {
        Ok::<_, String>(*dp.inputs())
    });
    let error = run.dataset(rows).tracer(&stage.tracer).await.unwrap_err();
    assert!(matches!(error, EvaluateError::Dataset(_)));
    assert!(
        error.to_string().contains("row 2") && error.to_string().contains("inputs"),
        "{error}"
    );
    assert_eq!(stage.honeyhive.requests().len(), 0);
}
