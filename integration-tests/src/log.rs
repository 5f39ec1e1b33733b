//! What the log of the process says, one test at a time: the log is one for all of them.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// A line, of whichever crate.
#[derive(Debug, Clone)]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// Who says so.
    pub target: String,
    /// The message and the fields.
    pub text: String,
}

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

struct Recorder;

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let line = Line {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            text: text.0,
        };
        lines().push(line);
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

/// Everything that was said in this turn.
pub fn lines() -> MutexGuard<'static, Vec<Line>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The turn of one test, with an empty log.
#[must_use = "the turn ends when this is dropped"]
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Recorder);
        assert!(tracing::subscriber::set_global_default(subscriber).is_ok());
    });
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    lines().clear();
    turn
}

/// What the core itself has said at a level, and nothing quieter.
#[must_use]
pub fn said(level: Level) -> Vec<String> {
    let lines = lines();
    let mine = lines
        .iter()
        .filter(|line| line.target == "honeyhive" && line.level == level);
    mine.map(|line| line.text.clone()).collect()
}
