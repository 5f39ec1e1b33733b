//! The program runs a batch, and then a worker until its queue is empty, or ctrl-c.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use example_telemetry::Telemetry;
use honeyhive::HoneyHiveTracer;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, Sender};
use worker::Message;

const QUESTIONS: [&str; 4] = [
    "Where is my order?",
    "Is it vegan?",
    "",
    "Is it gift-wrapped?",
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    println!("{telemetry}");

    Runtime::new()?.block_on(all_work(telemetry.tracer()));

    // The runtime has ended, and with it everything that records.
    if let Some(loss) = telemetry.shut_down() {
        eprintln!("worker: {loss}");
    }
    print!("{}", telemetry.trees());
    Ok(())
}

async fn all_work(tracer: HoneyHiveTracer) {
    let words = worker::batch(&tracer, "batch-7", &["one two", "three"]).await;
    println!("batch: {words} words");

    let (producer, queue) = mpsc::channel(100);
    let producing = tokio::spawn(produce(producer));
    // The queue is handled to its end, whether the producer has no more or is told to stop.
    let tally = worker::work(&tracer, queue, 2).await;
    // The producer has ended, since the queue has.
    let _ = producing.await;
    println!(
        "worker: {} answered, {} failed",
        tally.answered, tally.failed
    );
}

async fn produce(queue: Sender<Message>) {
    tokio::select! {
        biased; // so that ctrl-c is listened for before the first message
        _ = tokio::signal::ctrl_c() => println!("worker: no more messages are taken"),
        () = ask_all(&queue) => {}
    }
}

async fn ask_all(queue: &Sender<Message>) {
    for (number, question) in (1..).zip(QUESTIONS) {
        let message = Message {
            id: format!("m-{number}"),
            question: question.to_owned(),
        };
        println!("worker: takes {}", message.id);
        if queue.send(message).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
