//! The program serves a HoneyHive on your own machine, and has commands that ask it.

mod args;
mod ask;
mod clear;
mod client;
mod doctor;
#[cfg_attr(not(feature = "doctor"), path = "no_environment.rs")]
mod environment;
mod export;
mod failure;
mod import;
mod out;
mod serve;
mod tail;
mod tui;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no failures; a failure to print them changes nothing.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::MISUSED));
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::complain(&failure.to_string());
            ExitCode::from(failure.code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(Failure::of)?;
    let Some(command) = cli.command else {
        return runtime.block_on(serve::serve(&cli.serve));
    };
    runtime.block_on(async {
        match command {
            Command::Serve(serve) => serve::serve(&serve).await,
            Command::Tail(tail) => tail::tail(&tail).await,
            Command::Tui(source) => tui::tui(&source).await,
            Command::Show(show) => ask::show(&show).await,
            Command::Search(search) => ask::search(&search).await,
            Command::Export(export) => export::export(&export).await,
            Command::Import(import) => import::import(&import).await,
            Command::Clear(clear) => clear::clear(&clear).await,
            Command::Doctor(doctor) => doctor::doctor(&doctor).await,
        }
    })
}
