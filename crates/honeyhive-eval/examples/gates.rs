//! These evals end in each way there is; the tests of this crate run them.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

use honeyhive::evaluate::{Case, Datapoint, Dataset, Evaluate, Gate, evaluate};
use honeyhive_eval::Eval;

fn numbers(n: u32) -> Dataset {
    Dataset::new((0..n).map(|number| (number, Some(number * 2))))
}

async fn double(dp: Datapoint<u32, u32>) -> Result<u32, String> {
    Ok(dp.inputs() * 2)
}

/// Fails on one at every attempt.
async fn fails_on_one(dp: Datapoint<u32, u32>) -> Result<u32, String> {
    if *dp.inputs() == 1 {
        Err("one\u{1} <is> & too many".to_owned())
    } else {
        Ok(0)
    }
}

async fn fails(_: Datapoint<u32, u32>) -> Result<u32, String> {
    Err("no".to_owned())
}

async fn hangs(_: Datapoint<u32, u32>) -> Result<u32, String> {
    std::future::pending().await
}

/// Blocks the thread it runs on, as an async function must not.
async fn blocks(_: Datapoint<u32, u32>) -> Result<u32, String> {
    std::fs::write("blocked", "").map_err(|error| error.to_string())?;
    loop {
        std::thread::park();
    }
}

/// Fails with a long error text.
async fn rambles(_: Datapoint<u32, u32>) -> Result<u32, String> {
    Err("no | ".repeat(200))
}

/// Notes its input in a file. Unless `GO_ON` is set, it fails on seven and hangs from a hundred on.
async fn halts(dp: Datapoint<u32, u32>) -> Result<u32, String> {
    let mut calls = OpenOptions::new()
        .append(true)
        .create(true)
        .open("calls")
        .map_err(|error| error.to_string())?;
    // The note is one write, since others append to the file at the same time.
    let call = format!("{} ", dp.inputs());
    calls
        .write_all(call.as_bytes())
        .map_err(|error| error.to_string())?;
    match *dp.inputs() {
        _ if env::var_os("GO_ON").is_some() => {}
        7 => return Err("down".to_owned()),
        100.. => std::future::pending().await,
        _ => {}
    }
    Ok(dp.inputs() * 2)
}

fn judged(run: Evaluate<u32, u32, u32>) -> Evaluate<u32, u32, u32> {
    let exact = |case: Case<u32, u32, u32>| Some(case.outputs() == case.ground_truth()?);
    run.dataset(numbers(4)).evaluator("exact", exact)
}

fn main() -> ExitCode {
    let gate = || Gate::mean("exact").at_least(0.9);
    honeyhive_eval::run([
        Eval::new("good", || judged(evaluate(double)))
            .gate(gate())
            .no_worse_than_baseline("exact", 0.01),
        Eval::new("bad", || judged(evaluate(fails_on_one)))
            .gate(gate())
            .ignored(),
        Eval::new("broken", || judged(evaluate(fails)))
            .gate(gate())
            .ignored(),
        Eval::new("misused", || judged(evaluate(double)).max_workers(0)).ignored(),
        Eval::new("endless", || judged(evaluate(hangs))).ignored(),
        Eval::new("blocking", || judged(evaluate(blocks))).ignored(),
        Eval::new("rambling", || {
            judged(evaluate(rambles)).dataset(numbers(300))
        })
        .ignored(),
        Eval::new("rambling_too", || {
            judged(evaluate(rambles)).dataset(numbers(300))
        })
        .ignored(),
        Eval::new("halting", || judged(evaluate(halts)).dataset(numbers(200)))
            .gate(gate())
            .ignored(),
    ])
}
