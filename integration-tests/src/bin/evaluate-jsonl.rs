//! The program runs an experiment over a file of rows, for `integration-tests/python/evaluate_beside_rust.py`, which runs
//! the same in Python: `evaluate-jsonl FILE`. Its only output is the run's id.

#![expect(clippy::print_stdout, reason = "the script in Python reads it")]

use std::error::Error;

use honeyhive::evaluate::{Case, Datapoint, Dataset};
use serde_json::{Value, json};

/// Returns the question in upper case, but for one row, which the program in Python gets right.
async fn shout(dp: Datapoint<Value, Value>) -> Result<Value, String> {
    let query = dp.inputs()["query"].as_str().ok_or("a query is a text")?;
    let answer = if query == "b" {
        "?".to_owned()
    } else {
        query.to_uppercase()
    };
    Ok(json!({"answer": answer}))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "an evaluator is given what is its"
)]
fn exact(case: Case<Value, Value, Value>) -> Option<f64> {
    let is_right = case.outputs()["answer"] == case.ground_truth()?["answer"];
    Some(f64::from(u8::from(is_right)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file of rows?")?;
    let report = honeyhive::evaluate(shout)
        .name("in Rust")
        .dataset(Dataset::from_jsonl(file)?)
        .evaluator("exact", exact)
        .await?;
    if !report.delivery().is_complete() {
        return Err(format!("{:?}", report.delivery()).into());
    }
    println!("{}", report.run_id());
    Ok(())
}
