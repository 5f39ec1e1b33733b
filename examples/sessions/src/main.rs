//! The program shows every way in turn.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::error::Error;
use std::process::ExitCode;

use example_telemetry::Telemetry;
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sessions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    let tracer = telemetry.tracer();
    println!("{telemetry}");

    let linked = sessions::linking(&tracer);
    println!("automatic id:  {}", linked.automatic);
    println!("thread_42:     {}", linked.custom);
    println!("linked to:     {}", linked.existing);

    let users = ["ada", "bob", "cleo"].map(str::to_owned);
    Runtime::new()?.block_on(sessions::serve_users(&tracer, &users));

    println!("in test mode:  {}", sessions::test_mode()?);

    if let Some(loss) = telemetry.shut_down() {
        eprintln!("sessions: {loss}");
    }
    print!("{}", telemetry.trees());
    Ok(())
}
