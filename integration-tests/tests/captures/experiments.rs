//! `evaluate` makes a run, its sessions and its spans, and reads some things for it.

use std::path::Path;
use std::process::Command;

use honeyhive::evaluate::{
    Case, Datapoint, Dataset, Evaluate, EvaluateError, ExperimentReport, Scored,
};
use honeyhive::{Enrichment, HoneyHiveTracer};
use honeyhive_local::{Endpoint, Fault};
use serde::Serialize;
use serde_json::{Value, json};

use crate::edits::object;
use crate::hive::{Hive, is_child, run};
use crate::meaning::{Meaning, Span};
use crate::python::{Because, Bug, Python, Why};

const INPUTS_ARE_THE_FUNCTIONS: Why = Because(
    "a span's inputs are those of the datapoint; what would be right is the session's feedback",
);
const EVALUATORS_HAVE_SPANS: Why =
    Because("an async evaluator has a span beside the function's, so that what it calls is seen");
const THE_UPDATE_SAYS_ALL: Why = Because(
    "whether an update adds to a run or replaces it is not known, so it says everything again",
);
const SAYS_WHICH_SDK: Why = Because("a run says which SDK it was run with");
const SAYS_HOW_IT_ENDED: Why = Because("every session says how it ended");
const NO_SUMMARY: Why =
    Because("the report is computed here; HoneyHive's own summary is read where it is asked for");
const READ_TOGETHER: Why = Because("datapoints are read a hundred at a time");
const TRIED_AGAIN: Why = Because("what HoneyHive could not take at first is sent again");
const NOT_OF_NOTHING: Why = Because("a dataset without rows is refused before anything is sent");
const A_CLOSURE_HAS_NO_NAME: Why = Because("a function without a name is called `function`");

type Echo = Datapoint<Value, Value>;
type Judged = Case<Value, Value, Value>;

/// Runs the experiment, without the facts of the work tree that the tests are in.
fn report(hive: &Hive, evaluate: Evaluate<Value, Value, Value>) -> ExperimentReport {
    let tracer = hive.init(hive.builder());
    finish(evaluate.git(false), &tracer).expect("a report")
}

fn finish(
    evaluate: Evaluate<Value, Value, Value>,
    tracer: &HoneyHiveTracer,
) -> Result<ExperimentReport, EvaluateError> {
    run(async { evaluate.tracer(tracer).await })
}

/// Applies the differences that every experiment has.
fn but_as_ever(python: Python) -> Python {
    python
        .but_named()
        .but(INPUTS_ARE_THE_FUNCTIONS, inputs_of_the_datapoint)
        .but(SAYS_HOW_IT_ENDED, |it| {
            for session in &mut it.sessions {
                session.fields["metadata"]["outcome"] = json!("complete");
            }
        })
        .but(SAYS_WHICH_SDK, |it| {
            let sdk = json!({"language": "rust", "version": env!("CARGO_PKG_VERSION")});
            it.runs
                .iter_mut()
                .for_each(|run| run.made["metadata"]["sdk"] = sdk.clone());
        })
        .but(THE_UPDATE_SAYS_ALL, updates_say_all)
        .but(NO_SUMMARY, |it| {
            it.reads.retain(|read| !read.contains("/result?"))
        })
}

/// Python has the whole datapoint as one text.
fn inputs_of_the_datapoint(meaning: &mut Meaning) {
    meaning.each_span(|span| {
        let Some(Value::String(datapoint)) = span.attributes.remove("honeyhive_inputs.dp") else {
            return;
        };
        let datapoint: Value = serde_json::from_str(&datapoint).expect("JSON");
        for (name, value) in datapoint["inputs"].as_object().expect("inputs") {
            span.attributes
                .insert(format!("honeyhive_inputs.{name}"), value.clone());
        }
    });
}

fn updates_say_all(meaning: &mut Meaning) {
    for run in &mut meaning.runs {
        for field in ["metadata", "configuration"] {
            run.ended.insert(field.to_owned(), run.made[field].clone());
        }
    }
}

#[honeyhive::trace(event_type = "tool")]
fn retrieve(q: &str) -> [String; 2] {
    [q.to_owned(), q.to_owned()]
}

async fn my_function(dp: Echo, tracer: HoneyHiveTracer) -> Result<Value, String> {
    let docs = retrieve(dp.inputs()["q"].as_str().ok_or("a text")?);
    tracer.enrich_span(Enrichment::new().metadata(json!({"docs": docs.len()})));
    Ok(json!({"answer": docs[0].to_uppercase()}))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "an evaluator is given what is its"
)]
fn exact_match(case: Judged) -> Option<bool> {
    Some(case.outputs()["answer"] == case.ground_truth()?["answer"])
}

#[derive(Serialize)]
struct Length {
    score: usize,
    explanation: &'static str,
    extra: u32,
    nested: Value,
}

async fn alen(case: Judged) -> Scored<Length> {
    let score = case.outputs()["answer"].as_str().map_or(0, str::len);
    Scored(Length {
        score,
        explanation: "length",
        extra: 1,
        nested: json!({"x": 1}),
    })
}

pub(crate) fn a_list(python: Python) {
    let hive = Hive::new();
    let row = |q: &str, a: &str| (json!({"q": q}), Some(json!({"answer": a})));
    let tracer = hive.init(hive.builder());
    let enriching = tracer.clone();
    let evaluate = honeyhive::evaluate(async move |dp: Echo| my_function(dp, enriching).await)
        .function_name("my_function")
        .name("  rag-experiment-1 ")
        .dataset(Dataset::new([row("a", "A"), row("b", "B"), row("c", "X")]))
        .evaluator("exact_match", exact_match)
        .evaluator("alen", alen)
        .max_workers(2);
    finish(evaluate.git(false), &tracer).expect("a report");
    but_as_ever(python)
        .but(EVALUATORS_HAVE_SPANS, |it| {
            it.sessions.iter_mut().for_each(|session| {
                let mut span = evaluators_span("alen");
                let ids = ["run_id", "dataset_id", "datapoint_id"];
                let metadata = &session.fields["metadata"];
                let ids = ids.map(|id| (format!("honeyhive_metadata.{id}"), metadata[id].clone()));
                span.attributes.extend(ids);
                session.spans.push(span);
            })
        })
        .compare(&hive);
}

fn evaluators_span(name: &str) -> Span {
    Span {
        name: format!("evaluator: {name}"),
        fields: object(json!({"type": "chain"})),
        attributes: object(json!({"honeyhive_metadata.evaluator": name})),
        ..Span::default()
    }
}

pub(crate) fn a_stored_dataset(mut python: Python) {
    async fn my_function(dp: Echo) -> Result<Value, String> {
        Ok(json!({"answer": dp.inputs()["query"]}))
    }
    let hive = Hive::new();
    let row = |n| json!({"inputs": {"query": format!("q{n}")}, "ground_truth": {"answer": format!("a{n}")}});
    let id = hive.server.seed_dataset("stored", (0..3).map(row));
    let evaluate = honeyhive::evaluate(my_function)
        .dataset(Dataset::stored(&id))
        .evaluator("ev", |_: Judged| 0.5)
        .max_workers(1);
    let report = report(&hive, evaluate);
    let [a, b, c] = [0, 1, 2].map(|n| report.datapoints()[n].datapoint_id());
    python.expected(|it| {
        it.rename(&[
            ("ds0123456789abcdef012345", &id),
            ("dp_aaaaaaaaaaaaaaaaaaaaaaaa", a),
            ("dp_bbbbbbbbbbbbbbbbbbbbbbbb", b),
            ("dp_cccccccccccccccccccccccc", c),
        ])
    });
    but_as_ever(python)
        .but(READ_TOGETHER, |it| {
            let ids = [a, b, c].map(|id| format!("datapoint_ids%5B%5D={id}"));
            it.reads.truncate(1);
            it.reads
                .push(format!("GET /v1/datapoints?{}", ids.join("&")));
        })
        .compare(&hive);
}

pub(crate) fn failures_of_honeyhive(python: Python) {
    async fn r#fn(_: Echo) -> Result<Value, String> {
        Ok(json!({"a": 1}))
    }
    let hive = Hive::new();
    let evaluate = || honeyhive::evaluate(r#fn).name("n").max_workers(1);
    let go = || {
        report(
            &hive,
            evaluate().dataset(Dataset::new([(json!({"q": 1}), None::<Value>)])),
        )
    };
    for endpoint in [Endpoint::All, Endpoint::Sessions, Endpoint::Events] {
        hive.server.fail(Fault::status(500).on(endpoint).times(1));
        assert!(go().delivery().is_complete());
        hive.server.heal();
    }
    go();
    let calls = hive.server.requests().len();
    let tracer = hive.init(hive.builder());
    let empty = evaluate().dataset(Dataset::new([(); 0].map(|()| (json!({}), None::<Value>))));
    for refused in [evaluate(), empty] {
        finish(refused, &tracer).expect_err("nothing to run");
    }
    assert_eq!(hive.server.requests().len(), calls);
    let python = python
        .but(TRIED_AGAIN, |it| {
            let is_whole = |session: &&crate::meaning::Session| {
                !session.linked && session.fields.contains_key("outputs")
            };
            let whole = it
                .sessions
                .iter()
                .find(is_whole)
                .expect("one was not disturbed")
                .clone();
            it.sessions = vec![whole; 4];
            it.runs.insert(0, it.runs[0].clone());
        })
        .but(NOT_OF_NOTHING, |it| {
            it.runs.retain(|run| run.made["name"] != "e")
        });
    but_as_ever(python).compare(&hive);
}

/// Makes a work tree with one commit, in a folder of its own.
fn work_tree(folder: &Path) {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(folder).args(arguments);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        assert!(git.status().expect("git").success(), "{arguments:?}");
    };
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("file"), "").expect("a file");
    git(&["init", "-q", "-b", "main"]);
    git(&["config", "user.name", "Dev"]);
    git(&["config", "user.email", "dev@example.com"]);
    git(&[
        "remote",
        "add",
        "origin",
        "https://user:token@example.com/x.git",
    ]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "first"]);
}

pub(crate) fn the_work_tree(python: Python) {
    let hive = Hive::new();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures-115");
    let program = || {
        std::env::set_current_dir(&folder).expect("the work tree");
        let dataset = Dataset::new([(json!({"q": 1}), None::<Value>)]);
        let evaluate = honeyhive::evaluate(async |_: Echo| Ok::<_, String>(json!({"a": 1})));
        let evaluate = evaluate.dataset(dataset).max_workers(1);
        run(async { evaluate.await }).expect("a report");
    };
    if !is_child() {
        work_tree(&folder);
    }
    if hive.runs(&python, program) {
        return;
    }
    std::fs::remove_dir_all(&folder).expect("the work tree");
    let everything = hive
        .server
        .requests()
        .into_iter()
        .map(|request| format!("{request:?}"));
    for secret in ["user:token", "dev@example.com"] {
        assert!(
            !everything.clone().any(|request| request.contains(secret)),
            "{secret}"
        );
    }
    but_as_ever(python)
        .but(Bug(31), |it| {
            it.runs.iter_mut().for_each(|run| {
                let git = json!({
                    "commit": "<40 hex>",
                    "branch": "main",
                    "dirty": false,
                    "remote": "https://example.com/x.git",
                });
                run.made["metadata"]["git"] = git.clone();
                run.ended["metadata"]["git"] = git;
            })
        })
        .but(A_CLOSURE_HAS_NO_NAME, |it| {
            it.span("<lambda>").name = "function".to_owned();
            for body in it
                .runs
                .iter_mut()
                .flat_map(|run| [&mut run.made, &mut run.ended])
            {
                body["configuration"]["function"] = json!("function");
            }
        })
        .compare(&hive);
}
