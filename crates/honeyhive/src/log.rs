//! The library's log lines go through `tracing` with the target `honeyhive`. Lines that no subscriber hears are kept
//! for one that is installed later: `tracing_layer`, for one, exists only after the tracer.

use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::Level;
use tracing::subscriber::NoSubscriber;

/// The lines that no subscriber has heard yet are kept here, the oldest first.
static UNHEARD: Mutex<VecDeque<Line>> = Mutex::new(VecDeque::new());
/// The flag is true while `UNHEARD` has lines, so that most callers need no lock.
static HAS_UNHEARD: AtomicBool = AtomicBool::new(false);
/// So many lines at the most are kept for a later subscriber.
const MOST_UNHEARD: usize = 64;

#[derive(Debug, Clone)]
struct Line {
    level: Level,
    text: String,
    /// The flag tells whether the line is about spans that go nowhere, which no counter of losses has.
    is_loss: bool,
}

pub(crate) fn error(text: impl fmt::Display) {
    say(Level::ERROR, &text, false);
}

pub(crate) fn warn(text: impl fmt::Display) {
    say(Level::WARN, &text, false);
}

/// Logs a warning that spans go nowhere.
pub(crate) fn lost(text: impl fmt::Display) {
    say(Level::WARN, &text, true);
}

/// Logs an error or a warning that spans go nowhere; on stderr at once where no subscriber listens and `may_speak`.
pub(crate) fn lost_now(level: Level, text: impl fmt::Display, may_speak: bool) {
    say(level, &text, false);
    if may_speak && nobody_listens() {
        to_stderr(text);
    }
}

pub(crate) fn info(text: impl fmt::Display) {
    say(Level::INFO, &text, false);
}

pub(crate) fn debug(text: impl fmt::Display) {
    say(Level::DEBUG, &text, false);
}

/// Logs a routine line: formatted only where a subscriber listens, and never kept.
pub(crate) fn passing(text: fmt::Arguments<'_>) {
    if tracing::enabled!(target: "honeyhive", Level::DEBUG) {
        replay();
        emit(Level::DEBUG, &text);
    }
}

/// The warning comes once per process, since a mistake of the program repeats itself.
#[derive(Debug)]
pub(crate) struct Once(AtomicBool);

impl Once {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    // A `std::sync::Once` would deadlock or be poisoned: the program's subscriber may log here again, or panic.
    pub(crate) fn warn(&self, text: impl fmt::Display) {
        if self.is_first() {
            warn(text);
        }
    }

    /// Warns that something goes nowhere: a program without a subscriber is told on stderr when its tracer ends.
    #[cfg(feature = "http-server")]
    pub(crate) fn lost(&self, text: impl fmt::Display) {
        if self.is_first() {
            lost(text);
        }
    }

    /// Logs at debug level a line that is not about a mistake in every program.
    pub(crate) fn debug(&self, text: impl fmt::Display) {
        if self.is_first() {
            debug(text);
        }
    }

    fn is_first(&self) -> bool {
        !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed)
    }
}

/// A call site is a place in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallSite {
    file: &'static str,
    /// The line is `None` where the file's text has the line in it.
    line: Option<u32>,
}

impl CallSite {
    #[track_caller]
    pub(crate) fn here() -> Self {
        Location::caller().into()
    }

    /// Returns false for a site in this crate: a program does not begin the session of a request itself.
    fn is_in_the_program(self) -> bool {
        let here = file!().strip_suffix("log.rs");
        here.is_none_or(|here| !self.file.starts_with(here))
    }

    /// Reads a site from `file:line`.
    #[cfg(feature = "macros")]
    pub(crate) const fn named(text: &'static str) -> Self {
        Self {
            file: text,
            line: None,
        }
    }
}

impl From<&'static Location<'static>> for CallSite {
    fn from(location: &'static Location<'static>) -> Self {
        Self {
            file: location.file(),
            line: Some(location.line()),
        }
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.file)?;
        match self.line {
            Some(line) => write!(formatter, ":{line}"),
            None => Ok(()),
        }
    }
}

/// `Aside` writes a site in parentheses, after a space; it writes nothing where the site tells nothing about the
/// program.
#[derive(Debug)]
pub(crate) struct Aside(pub(crate) CallSite);

impl fmt::Display for Aside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_in_the_program() {
            write!(formatter, " ({})", self.0)
        } else {
            Ok(())
        }
    }
}

/// The set keeps a bounded number of things that were logged once: names and ids may never end.
#[derive(Debug)]
pub(crate) struct Mentioned<T>(Vec<T>);

impl<T: PartialEq> Mentioned<T> {
    const MOST: usize = 100;

    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns true for a thing that was not logged yet, while the set has room.
    pub(crate) fn is_new(&self, one: &T) -> bool {
        self.0.len() < Self::MOST && !self.0.contains(one)
    }

    /// Notes that a thing is logged; true for a new one, while the set has room.
    pub(crate) fn is_first(&mut self, one: T) -> bool {
        let is_new = self.is_new(&one);
        if is_new {
            self.insert(one);
        }
        is_new
    }

    /// Notes that a thing was logged.
    pub(crate) fn insert(&mut self, one: T) {
        self.0.push(one);
    }
}

impl<T: PartialEq> Default for Mentioned<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The warning comes once for each place in the program.
#[derive(Debug)]
pub(crate) struct OncePerSite(Mutex<Mentioned<CallSite>>);

impl OncePerSite {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Mentioned::new()))
    }

    pub(crate) fn warn(&self, site: CallSite, text: impl fmt::Display) {
        if self.is_first(site) {
            warn(text);
        }
    }

    pub(crate) fn is_first(&self, site: CallSite) -> bool {
        lock(&self.0).is_first(site)
    }
}

/// Logs the kept lines, once a subscriber listens.
pub(crate) fn replay() {
    if !HAS_UNHEARD.load(Ordering::Relaxed) || nobody_listens() {
        return;
    }
    let lines = {
        let mut unheard = lock(&UNHEARD);
        HAS_UNHEARD.store(false, Ordering::Relaxed);
        std::mem::take(&mut *unheard)
    };
    for line in lines {
        emit(line.level, &line.text);
    }
}

/// Returns the last of the gravest kept lines.
pub(crate) fn gravest_unheard() -> Option<String> {
    let unheard = lock(&UNHEARD);
    // `tracing` has the gravest as the smallest; of equals `min_by_key` takes the first, so the last goes first.
    let gravest = unheard.iter().rev().min_by_key(|line| line.level)?;
    (gravest.level <= Level::WARN).then(|| gravest.text.clone())
}

/// Returns the first kept line about spans that go nowhere, and removes all of them, since one at the end is enough.
pub(crate) fn take_unheard_loss() -> Option<String> {
    let mut unheard = lock(&UNHEARD);
    let mut losses = unheard.iter_mut().filter(|line| line.is_loss);
    let first = losses.next()?;
    first.is_loss = false;
    let text = first.text.clone();
    losses.for_each(|line| line.is_loss = false);
    Some(text)
}

/// Returns whether this thread has no subscriber, neither the process's nor one of its own.
pub(crate) fn nobody_listens() -> bool {
    tracing::dispatcher::get_default(tracing::Dispatch::is::<NoSubscriber>)
}

/// Writes one line to stderr, for a program without a subscriber.
pub(crate) fn to_stderr(text: impl fmt::Display) {
    use std::io::Write as _;
    // `eprintln!` panics where stderr is closed.
    let _ = writeln!(
        std::io::stderr(),
        "honeyhive: {text} (said here since the program has no `tracing` subscriber; HH_STDERR=false turns this off)"
    );
}

fn say(level: Level, text: &dyn fmt::Display, is_loss: bool) {
    if nobody_listens() {
        let text = text.to_string();
        keep(Line {
            level,
            text,
            is_loss,
        });
    } else {
        replay();
        emit(level, text);
    }
}

fn keep(line: Line) {
    let mut unheard = lock(&UNHEARD);
    if unheard.len() == MOST_UNHEARD {
        forget_one(&mut unheard);
    }
    unheard.push_back(line);
    HAS_UNHEARD.store(true, Ordering::Relaxed);
}

/// Forgets the oldest of the least grave lines.
fn forget_one(lines: &mut VecDeque<Line>) {
    // `tracing` has the gravest as the smallest; of equals `max_by_key` takes the last.
    let least = lines.iter().enumerate().rev();
    let least = least.max_by_key(|(_, line)| line.level);
    if let Some((index, _)) = least {
        lines.remove(index);
    }
}

fn emit(level: Level, text: &dyn fmt::Display) {
    match level {
        Level::ERROR => tracing::error!(target: "honeyhive", "{text}"),
        Level::WARN => tracing::warn!(target: "honeyhive", "{text}"),
        Level::INFO => tracing::info!(target: "honeyhive", "{text}"),
        _ => tracing::debug!(target: "honeyhive", "{text}"),
    }
}

/// Locks a mutex, under which nothing of the program's runs.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_says_little_takes_no_room_from_one_that_says_more() {
        let lines = [
            (Level::WARN, "first"),
            (Level::DEBUG, "second"),
            (Level::ERROR, "third"),
            (Level::DEBUG, "fourth"),
        ];
        let line = |(level, text): (Level, &str)| Line {
            level,
            text: text.to_owned(),
            is_loss: false,
        };
        let mut lines: VecDeque<_> = lines.into_iter().map(line).collect();
        let forgotten = ["second", "fourth", "first", "third"].map(|text| {
            forget_one(&mut lines);
            !lines.iter().any(|line| line.text == text)
        });
        assert_eq!(forgotten, [true; 4]);
        assert!(lines.is_empty());
    }

    #[test]
    fn each_is_mentioned_once_and_not_without_end() {
        let mut mentioned = Mentioned::new();
        let firsts = (0..1_000).chain(0..10).filter(|number| {
            let is_new = mentioned.is_new(number);
            if is_new {
                mentioned.insert(*number);
            }
            is_new
        });
        let firsts: Vec<_> = firsts.collect();
        assert_eq!(firsts, (0..100).collect::<Vec<_>>());
    }
}
