//! [`run`] runs all evals that are asked for, one after the other, and returns the exit code.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fmt};

use honeyhive::BuildError;
use honeyhive::evaluate::{Baseline, EvaluateError, ExperimentReport, failed_datapoints};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use crate::arguments::{Arguments, Resume};
use crate::colour::Painted;
use crate::eval::{Eval, Order};
use crate::outcome::{Ending, Finished};
use crate::progress::ProgressLine;
use crate::signals::Interrupt;
use crate::{baselines, files, junit, pages};

/// Runs the evals that the arguments ask for, and says by the exit code whether they are good enough: see the
/// [table](crate).
///
/// ```no_run
/// # use honeyhive_eval::Eval;
/// # let support: Eval = unimplemented!();
/// # let _ =
/// honeyhive_eval::run([support])
/// # ;
/// ```
#[must_use = "`main` returns it"]
pub fn run(evals: impl IntoIterator<Item = Eval>) -> ExitCode {
    let evals: Vec<Eval> = evals.into_iter().collect();
    let ending = Arguments::parse(env::args().skip(1)).map_or_else(
        |problem| with_warning(Ending::Usage, problem),
        |arguments| run_with(&evals, &arguments),
    );
    ending.code().into()
}

fn run_with(evals: &[Eval], arguments: &Arguments) -> Ending {
    if arguments.help {
        say(format_args!("{}", include_str!("../README.md")));
        return Ending::Good;
    }
    if arguments.list {
        evals
            .iter()
            .filter(|eval| arguments.lists(&eval.name, eval.is_ignored))
            .for_each(|eval| say(format_args!("{}: test\n", eval.name)));
        return Ending::Good;
    }
    let chosen: Vec<&Eval> = evals
        .iter()
        .filter(|eval| arguments.chooses(&eval.name, eval.is_ignored))
        .collect();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return with_warning(Ending::Usage, format!("there is no runtime: {error}")),
    };
    runtime.block_on(run_all(&chosen, arguments))
}

async fn run_all(evals: &[&Eval], arguments: &Arguments) -> Ending {
    let interrupt = Interrupt::listen();
    let mut worst = Ending::Good;
    let mut finished = Vec::new();
    for eval in evals {
        if interrupt.has_come() {
            worst = Ending::Interrupted;
            break;
        }
        match run_one(eval, arguments, &interrupt).await {
            Ok(None) => {}
            Ok(Some((ending, eval))) => {
                worst = worst.max(ending);
                finished.push(eval);
            }
            Err(ending) => worst = worst.max(ending),
        }
    }
    match write_reports(&finished, arguments) {
        Ok(()) => worst,
        Err(error) => worst.max(with_warning(
            Ending::Usage,
            format!("a report could not be written: {error}"),
        )),
    }
}

/// Runs one eval; `None` where it has nothing to run.
async fn run_one(
    eval: &Eval,
    arguments: &Arguments,
    interrupt: &Interrupt,
) -> Result<Option<(Ending, Finished)>, Ending> {
    let Some(order) = order_of(eval, arguments, interrupt)? else {
        return Ok(None);
    };
    let baseline = baseline_of(eval, arguments).await?;
    if !arguments.no_progress {
        ProgressLine::new(&eval.name).begins();
    }
    let report = report_of(eval, order).await;
    let report = report.map_err(|error| {
        let ending = Ending::of_error(&error);
        with_warning(ending, format!("{}: {error:?}", eval.name))
    })?;
    let report = match &baseline {
        Some(baseline) => report.compared_with(baseline),
        None => report,
    };
    let verdicts = report.gate(eval.gates(baseline.as_ref()));
    let ending = Ending::of_report(&report, &verdicts, interrupt.has_come());
    let painted = Painted {
        verdicts: &verdicts,
        is_coloured: arguments.colour.is_wanted(),
    };
    say(format_args!("{report}{painted}\n"));
    save_baselines(eval, arguments, &report)?;
    let finished = Finished {
        name: eval.name.clone(),
        report,
        verdicts,
    };
    Ok(Some((ending, finished)))
}

/// Returns what of the eval is to run; `None` where nothing has failed that could run again.
fn order_of(
    eval: &Eval,
    arguments: &Arguments,
    interrupt: &Interrupt,
) -> Result<Option<Order>, Ending> {
    let only = failed_of(eval, arguments)?;
    if only.as_ref().is_some_and(Vec::is_empty) {
        warn(format_args!(
            "{}: nothing failed in the last run",
            eval.name
        ));
        return Ok(None);
    }
    Ok(Some(Order {
        arguments: arguments.clone(),
        is_offline: arguments.offline,
        interrupt: interrupt.clone(),
        only,
        resume: last_journal_of(eval, arguments)?,
    }))
}

/// Returns the journal that `--resume` without a path goes on with.
fn last_journal_of(eval: &Eval, arguments: &Arguments) -> Result<Option<PathBuf>, Ending> {
    if arguments.resume != Some(Resume::Last) {
        return Ok(None);
    }
    match files::last_journal(&eval.name) {
        Some(path) => Ok(Some(path)),
        None => Err(with_warning(
            Ending::Usage,
            format!("{}: there is no run to go on with", eval.name),
        )),
    }
}

/// Runs the eval, offline without a key; but not where a machine might mistake that for a real run.
async fn report_of(eval: &Eval, mut order: Order) -> Result<ExperimentReport, EvaluateError> {
    let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    match eval.begin(&order).await {
        Err(EvaluateError::Tracer(BuildError::MissingApiKey)) if !is_ci => {
            warn(format_args!(
                "{}: there is no HoneyHive key (HH_API_KEY), so this runs offline",
                eval.name
            ));
            order.is_offline = true;
            eval.begin(&order).await
        }
        outcome => outcome,
    }
}

async fn baseline_of(eval: &Eval, arguments: &Arguments) -> Result<Option<Baseline>, Ending> {
    let Some(earlier) = &arguments.baseline else {
        return Ok(None);
    };
    let baseline = baselines::baseline_of(&eval.name, earlier).await;
    baseline
        .map(Some)
        .map_err(|(ending, problem)| with_warning(ending, format!("{}: {problem}", eval.name)))
}

fn failed_of(eval: &Eval, arguments: &Arguments) -> Result<Option<Vec<String>>, Ending> {
    if !arguments.only_failed {
        return Ok(None);
    }
    let Some(journal) = files::last_journal(&eval.name) else {
        return Err(with_warning(
            Ending::Usage,
            format!(
                "{}: there is no run whose failures could run again",
                eval.name
            ),
        ));
    };
    let failed = failed_datapoints(journal);
    failed
        .map(Some)
        .map_err(|error| with_warning(Ending::Usage, format!("{}: {error:?}", eval.name)))
}

fn save_baselines(
    eval: &Eval,
    arguments: &Arguments,
    report: &ExperimentReport,
) -> Result<(), Ending> {
    let names = arguments
        .save_baseline
        .iter()
        .map(String::as_str)
        .chain(["last"]);
    for name in names {
        let saved = report.baseline().save(files::baseline(&eval.name, name));
        saved.map_err(|error| with_warning(Ending::Usage, format!("{}: {error:?}", eval.name)))?;
    }
    Ok(())
}

fn write_reports(evals: &[Finished], arguments: &Arguments) -> io::Result<()> {
    let markdown = pages::markdown(evals);
    files::add_to_step_summary(&markdown)?;
    if let Some(path) = &arguments.markdown {
        files::write(path, &markdown)?;
    }
    if let Some(path) = &arguments.junit {
        files::write(path, &junit::xml(evals))?;
    }
    if let Some(path) = &arguments.json {
        let reports = evals
            .iter()
            .map(|eval| (eval.name.clone(), eval.report.json()));
        let json = Value::Object(reports.collect::<Map<_, _>>());
        files::write(path, &format!("{json:#}\n"))?;
    }
    Ok(())
}

/// Warns of the problem that the ending comes from.
fn with_warning(ending: Ending, problem: impl fmt::Display) -> Ending {
    warn(format_args!("{problem}"));
    ending
}

/// Prints a line; a closed stdout or stderr is no failure.
fn say(text: fmt::Arguments<'_>) {
    let _ = write!(io::stdout().lock(), "{text}");
}

fn warn(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
