//! The program has our variants alone; see `benches/run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    honeyhive_benches::command::run(honeyhive_benches::variants(), honeyhive_benches::find)
}
