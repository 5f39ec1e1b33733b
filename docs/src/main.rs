//! The programs of the guide: `honeyhive-guide <name>` runs one, and without a name it lists them.
//!
//! They are taken from the pages when this is built, and the tests run them; see `build.rs`.

#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use std::env;
use std::process::ExitCode;

/// As they stand in the pages.
#[allow(
    unused_variables,
    clippy::print_stderr,
    clippy::unit_arg,
    reason = "pages show the shortest program that is right, and any kind of `main`"
)]
mod pages {
    use std::process::ExitCode;

    type Run = fn() -> ExitCode;

    include!(concat!(env!("OUT_DIR"), "/programs.rs"));
}

fn main() -> ExitCode {
    let wanted = env::args().nth(1);
    for (name, run) in pages::PROGRAMS {
        match &wanted {
            Some(wanted) if wanted == name => return run(),
            Some(_) => {}
            None => println!("{name}"),
        }
    }
    match wanted {
        Some(_) => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    }
}
