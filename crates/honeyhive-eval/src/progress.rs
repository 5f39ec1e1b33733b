//! How far a run has come, on stderr: a line that is rewritten on a terminal, else a line every ten seconds.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use honeyhive::evaluate::Progress;

/// The shortest time between two lines.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(10);

/// Tells it.
#[derive(Debug)]
pub(crate) struct Teller {
    eval: String,
    is_terminal: bool,
    last: Mutex<Instant>,
}

impl Teller {
    pub(crate) fn new(eval: &str) -> Self {
        Self {
            eval: eval.to_owned(),
            is_terminal: std::io::stderr().is_terminal(),
            last: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn tell(&self, progress: &Progress) {
        let pause = if self.is_terminal { OFTEN } else { SELDOM };
        let is_end = progress.done() == progress.total();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < pause && !(self.is_terminal && is_end) {
            return;
        }
        *last = Instant::now();
        let line = line(&self.eval, progress);
        let mut stderr = std::io::stderr().lock();
        // Who has closed stderr does not want to know.
        let _ = match (self.is_terminal, is_end) {
            (true, false) => write!(stderr, "\r\x1b[2K{line}").and_then(|()| stderr.flush()),
            (true, true) => write!(stderr, "\r\x1b[2K").and_then(|()| stderr.flush()),
            (false, _) => writeln!(stderr, "{line}"),
        };
    }
}

fn line(eval: &str, progress: &Progress) -> String {
    let seconds = progress.elapsed().as_secs();
    let errors = match progress.errors() {
        0 => String::new(),
        errors => format!(", {errors} failed"),
    };
    format!(
        "{eval}: {} of {}{errors}, {seconds} s",
        progress.done(),
        progress.total()
    )
}
