//! An experiment takes time beside the ideal, and memory.
//!
//! Usage: `bench-evaluate [speed | memory | trials | serve MILLISECONDS]`. HoneyHive is in another process, over a socket: this
//! program again, with `serve`, which answers each call after so long, says where it listens, and ends with its input.

#![expect(
    clippy::print_stdout,
    reason = "a program that prints its measurements"
)]

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs};

use honeyhive::evaluate::{Case, Datapoint, Dataset, Evaluate, ExperimentReport, Outcome};
use honeyhive::{HoneyHiveTracer, json};
use honeyhive_local::{Fault, LocalServer};
use serde_json::Value;

type Outcomes<T> = Result<T, Box<dyn Error>>;

const WORKERS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Outcomes<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] | ["speed"] => speed().await,
        ["memory"] => memory().await,
        ["trials"] => of_each_trial().await,
        ["serve", milliseconds] => serve(milliseconds.parse()?).await,
        _ => Err("usage: bench-evaluate [speed | memory | trials | serve MILLISECONDS]".into()),
    }
}

async fn serve(milliseconds: u64) -> Outcomes<()> {
    let local = LocalServer::builder()
        .max_sessions(2_000)
        .max_requests(10)
        .start()
        .await?;
    if milliseconds > 0 {
        local.fail(Fault::delay(Duration::from_millis(milliseconds)));
    }
    println!("{}", local.url());
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
    println!("{}", local.stats().requests);
    Ok(())
}

/// `Served` is a HoneyHive in a process of its own.
struct Served {
    process: Child,
    url: String,
    says: BufReader<std::process::ChildStdout>,
}

impl Served {
    fn begin(milliseconds: u64) -> Outcomes<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["serve", &milliseconds.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = process.stdout.take().ok_or("no output")?;
        let mut served = Self {
            process,
            url: String::new(),
            says: BufReader::new(out),
        };
        served.url = served.line()?;
        Ok(served)
    }

    fn line(&mut self) -> Outcomes<String> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn tracer(&self) -> Outcomes<HoneyHiveTracer> {
        Ok(HoneyHiveTracer::builder()
            .api_key("hh_bench")
            .server_url(&self.url)
            .build()?)
    }

    /// Ends the process and returns the number of its calls.
    fn end(mut self) -> Outcomes<u64> {
        drop(self.process.stdin.take());
        let calls = self.line()?.parse()?;
        self.process.wait()?;
        Ok(calls)
    }
}

/// A `Span` reaches from the first call of the function to the last of the evaluator.
#[derive(Debug, Clone, Default)]
struct Span(Arc<Mutex<Option<(Instant, Instant)>>>);

impl Span {
    fn note(&self) -> Outcomes<()> {
        let now = Instant::now();
        let mut span = self.0.lock().map_err(|_| "a panic")?;
        span.get_or_insert((now, now)).1 = now;
        Ok(())
    }

    fn get(&self) -> Outcomes<(Instant, Instant)> {
        let span = *self.0.lock().map_err(|_| "a panic")?;
        Ok(span.ok_or("nothing has run")?)
    }
}

fn dataset(n: usize) -> Dataset {
    Dataset::new((0..n).map(|q| (json!({"q": q}), Some(json!({"a": q})))))
}

async fn answer(dp: Datapoint<Value, Value>, takes: Duration) -> Result<Value, String> {
    tokio::time::sleep(takes).await;
    Ok(json!({"a": dp.inputs()["q"]}))
}

fn exact(case: &Case<Value, Value, Value>) -> Option<bool> {
    Some(case.outputs() == case.ground_truth()?)
}

async fn speed() -> Outcomes<()> {
    const N: usize = 1_000;
    const TAKES: Duration = Duration::from_millis(50);
    let ideal = TAKES.as_secs_f64() * (N / WORKERS) as f64;
    println!("{N} datapoints of {TAKES:?}, {WORKERS} at a time: {ideal} s at the best");
    println!(
        "{:<14} {:>9} {:>9} {:>7} {:>9} {:>7}",
        "HoneyHive", "creation", "run", "ratio", "delivery", "calls"
    );
    for milliseconds in [0, 50] {
        let served = Served::begin(milliseconds)?;
        let tracer = served.tracer()?;
        let span = Span::default();
        let (began, ended) = (span.clone(), span.clone());
        let called = Instant::now();
        let report = honeyhive::evaluate(async move |dp| {
            began.note().map_err(|error| error.to_string())?;
            answer(dp, TAKES).await
        })
        .function_name("answer")
        .dataset(dataset(N))
        .evaluator("exact", move |case: Case<_, _, _>| {
            let verdict = exact(&case);
            drop(ended.note());
            verdict
        })
        .max_workers(WORKERS)
        .tracer(&tracer)
        .await?;
        let done = Instant::now();
        expect_whole(&report, N)?;
        let (first, last) = span.get()?;
        let run = (last - first).as_secs_f64();
        println!(
            "{:<14} {:>7.3} s {:>7.3} s {:>7.2} {:>7.3} s {:>7}",
            format!("{milliseconds} ms a call"),
            (first - called).as_secs_f64(),
            run,
            run / ideal,
            (done - last).as_secs_f64(),
            served.end()?
        );
    }
    Ok(())
}

async fn memory() -> Outcomes<()> {
    const N: usize = 100_000;
    let served = Served::begin(0)?;
    let tracer = served.tracer()?;
    let rows = dataset(N);
    let before = resident("VmRSS")?;
    let report = held(&tracer, rows).await?;
    expect_whole(&report, N)?;
    let most = resident("VmHWM")?.saturating_sub(before);
    let dropped = tracer.stats().dropped.total();
    println!("{N} datapoints, outputs not kept");
    println!("MiB before, with the dataset    {:>8.1}", mebibytes(before));
    println!("MiB on top of that, at the most {:>8.1}", mebibytes(most));
    println!("items dropped                   {dropped:>8}");
    println!("calls                           {:>8}", served.end()?);
    Ok(())
}

/// Returns a run that keeps no outputs and waits for all to be delivered.
fn held(tracer: &HoneyHiveTracer, rows: Dataset) -> Evaluate<Value, Value, Value> {
    honeyhive::evaluate(async |dp| answer(dp, Duration::ZERO).await)
        .function_name("answer")
        .dataset(rows)
        .evaluator("exact", |case: Case<_, _, _>| exact(&case))
        .max_workers(WORKERS)
        .keep_outputs(false)
        .delivery_timeout(PATIENCE)
        .tracer(tracer)
}

/// Returns the growth of the process per trial that has ended. All trials are of one row, so that no memory of finished
/// rows is used again.
async fn of_each_trial() -> Outcomes<()> {
    const N: usize = 50_000;
    let served = Served::begin(0)?;
    let tracer = served.tracer()?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let samples = Arc::clone(&seen);
    let report = held(&tracer, dataset(1))
        .trials(u32::try_from(N)?)
        .on_progress(move |progress| {
            if progress.done().is_multiple_of(N / 10)
                && let (Ok(bytes), Ok(mut samples)) = (resident("VmRSS"), samples.lock())
            {
                samples.push(bytes);
            }
        })
        .await?;
    expect_whole(&report, N)?;
    let samples = seen.lock().map_err(|_| "a panic")?;
    let (tenth, last) = samples.first().zip(samples.last()).ok_or("no sample")?;
    let each = last.saturating_sub(*tenth) as f64 / (N * 9 / 10) as f64;
    println!("{N} trials of one datapoint, outputs not kept");
    println!("bytes a finished trial          {each:>8.0}");
    served.end()?;
    Ok(())
}

/// Asserts that a run has lost nothing: its numbers would be too good.
fn expect_whole(report: &ExperimentReport, n: usize) -> Outcomes<()> {
    let is_right = report
        .metric("exact")
        .is_some_and(|exact| exact.estimate == Some(1.0));
    if report.count(Outcome::Ok) == n && report.delivery().is_complete() && is_right {
        Ok(())
    } else {
        Err(format!("not everything arrived: {:?}\n{report}", report.delivery()).into())
    }
}

/// Returns the bytes of this process in memory, as Linux tells them.
fn resident(which: &str) -> Outcomes<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(which));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kibibytes.ok_or("no such line")?.parse::<u64>()? * 1024)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
