//! The log belongs to the process, and all tests share it, so they take turns.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// A `Line` may be of any crate.
#[derive(Debug, Clone)]
pub struct Line {
    /// The level.
    pub level: Level,
    /// The target.
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

/// Returns all lines of this turn.
pub fn lines() -> MutexGuard<'static, Vec<Line>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The `Turn` of one test ends when it is dropped.
pub type Turn = MutexGuard<'static, ()>;

/// Takes the turn of one test, with an empty log.
#[must_use = "the turn ends when this is dropped"]
pub fn turn() -> Turn {
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

/// Returns the core's own lines at a level.
#[must_use]
pub fn said(level: Level) -> Vec<String> {
    let lines = lines();
    let mine = lines
        .iter()
        .filter(|line| line.target == "honeyhive" && line.level == level);
    mine.map(|line| line.text.clone()).collect()
}
