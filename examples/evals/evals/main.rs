//! `cargo test -p evals-example --test evals` tells whether the bot is good enough, and how sure that is.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a function and an evaluator are given what is theirs"
)]

use std::error::Error;
use std::process::ExitCode;

use evals_example::{Answer, Judge, Question, answer, overlap};
use honeyhive::evaluate::{Case, Datapoint, Dataset, Gate, Score, evaluate};
use honeyhive_eval::Eval;
use model_stand_in::StandIn;
use tokio::sync::OnceCell;

type SupportCase = Case<Question, Answer, Answer>;

async fn support(dp: Datapoint<Question, Answer>) -> Result<Answer, evals_example::Unknown> {
    answer(dp.inputs()).await
}

fn exact_match(case: SupportCase) -> Option<bool> {
    Some(case.outputs() == case.ground_truth()?)
}

fn word_overlap(case: SupportCase) -> Option<f64> {
    Some(overlap(&case.outputs().text, &case.ground_truth()?.text))
}

/// The stand-in is the model; for one of your own, write `Judge::new("https://…/v1")`.
static MODEL: OnceCell<StandIn> = OnceCell::const_new();

async fn helpful(case: SupportCase) -> Result<Option<Score>, Box<dyn Error + Send + Sync>> {
    let Some(right) = case.ground_truth() else {
        return Ok(None);
    };
    let model = MODEL.get_or_try_init(StandIn::start).await?;
    let judgement = Judge::new(model.url())
        .judge(&case.outputs().text, &right.text)
        .await?;
    Ok(Some(Score::new(judgement.score).explanation(judgement.why)))
}

fn dataset() -> Dataset {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/evals/support.jsonl");
    match Dataset::from_jsonl(path) {
        Ok(dataset) => dataset.named("support"),
        Err(error) => panic!("{error}"),
    }
}

fn main() -> ExitCode {
    let support = Eval::new("support", || {
        evaluate(support)
            .dataset(dataset())
            .evaluator("exact_match", exact_match)
            .evaluator("word_overlap", word_overlap)
            .evaluator("helpful", helpful)
    });
    honeyhive_eval::run([support
        .gate(Gate::mean("exact_match").at_least(0.7))
        .gate(
            Gate::mean("word_overlap")
                .at_least(0.8)
                .unless_proven_otherwise(),
        )
        .gate(Gate::max_errors(0.1))
        .no_worse_than_baseline("word_overlap", 0.05)])
}
