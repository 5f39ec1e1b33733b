//! The progress of a run goes to stderr: a line that is rewritten on a terminal, else a line every ten seconds.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use honeyhive::evaluate::Progress;

/// Two lines on a terminal are at least this long apart.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(10);

/// `LAST` is the time of the last line, of any eval.
static LAST: Mutex<Option<Instant>> = Mutex::new(None);

/// A `ProgressLine` prints the progress line of one eval.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    eval: String,
    is_terminal: bool,
}

impl ProgressLine {
    pub(crate) fn new(eval: &str) -> Self {
        Self {
            eval: eval.to_owned(),
            is_terminal: io::stderr().is_terminal(),
        }
    }

    /// Prints that the eval begins, on a line that stays.
    pub(crate) fn begins(&self) {
        if self.is_terminal || is_due(SELDOM) {
            // A closed stderr needs no line.
            let _ = writeln!(io::stderr().lock(), "{}: begins", self.eval);
        }
    }

    pub(crate) fn tell(&self, progress: &Progress) {
        let pause = if self.is_terminal { OFTEN } else { SELDOM };
        if progress.done() == progress.total() && self.is_terminal {
            self.clear();
        } else if is_due(pause) {
            let line = line(&self.eval, progress);
            let mut stderr = io::stderr().lock();
            let _ = if self.is_terminal {
                write!(stderr, "\r\x1b[2K{line}").and_then(|()| stderr.flush())
            } else {
                writeln!(stderr, "{line}")
            };
        }
    }

    fn clear(&self) {
        if self.is_terminal {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[2K").and_then(|()| stderr.flush());
        }
    }
}

impl Drop for ProgressLine {
    /// Ends the line that a run which ends early leaves: the report would be appended to it.
    fn drop(&mut self) {
        self.clear();
    }
}

/// Returns true, and notes the time, where no line was printed for so long.
fn is_due(pause: Duration) -> bool {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let is_due = last.is_none_or(|last| last.elapsed() >= pause);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
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
