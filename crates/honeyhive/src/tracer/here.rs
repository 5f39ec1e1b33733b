//! The default tracer records where code names none: for `#[honeyhive::trace]` and [`span`].

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use tracing::Level;

use super::{HoneyHiveTracer, Inner};
use crate::context;
use crate::log::{self, CallSite, Once, OncePerSite};
use crate::session::{Session, current, suppression};
use crate::span::{Maker, SpanBuilder};

/// The candidates are the tracers that code may mean without naming one.
#[derive(Debug)]
struct Candidates {
    /// The program has chosen this one.
    chosen: Option<HoneyHiveTracer>,
    /// The living tracers are candidates. The references are weak, so this list keeps none alive.
    alive: Vec<Weak<Inner>>,
}

static CANDIDATES: RwLock<Candidates> = RwLock::new(Candidates {
    chosen: None,
    alive: Vec::new(),
});
/// The flag is true once a tracer was made. A traced function in a program without HoneyHive reads only this flag.
static HAS_BEEN: AtomicBool = AtomicBool::new(false);
/// The flag is true while the newest tracer may write to stderr and has not written yet.
static MAY_SPEAK: AtomicBool = AtomicBool::new(false);

impl HoneyHiveTracer {
    /// Makes this the tracer of every `#[honeyhive::trace]` function and every [`honeyhive::span`](crate::span()) that
    /// runs outside all sessions and names no tracer itself. Returns the one it takes the place of.
    ///
    /// A process with one tracer needs no such call: that one is meant. With several, none is, and a warning says so
    /// once a call site.
    ///
    /// The process holds on to the default tracer, so dropping your handles does not shut it down: keep a
    /// [`shutdown_guard`](Self::shutdown_guard) in `main`.
    ///
    /// ```
    /// use honeyhive::HoneyHiveTracer;
    ///
    /// #[honeyhive::trace]
    /// fn work() {}
    ///
    /// let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
    /// HoneyHiveTracer::set_default(tracer.clone());
    /// let _guard = tracer.shutdown_guard();
    /// work(); // a span in the tracer's own session
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[doc(alias = "set_default_tracer")]
    pub fn set_default(tracer: Self) -> Option<Self> {
        let mut candidates = CANDIDATES.write().unwrap_or_else(PoisonError::into_inner);
        HAS_BEEN.store(true, Ordering::Release);
        candidates.chosen.replace(tracer)
    }

    /// Registers this tracer as a default for code that names none.
    pub(super) fn stand_for_default(&self) {
        /// A program with this many living tracers most likely makes one per request.
        const MANY: usize = 10;
        static TOLD: Once = Once::new();
        let alive = {
            let mut candidates = CANDIDATES.write().unwrap_or_else(PoisonError::into_inner);
            candidates.alive.retain(|tracer| tracer.strong_count() > 0);
            candidates.alive.push(Arc::downgrade(&self.inner));
            candidates.alive.len()
        };
        HAS_BEEN.store(true, Ordering::Release);
        MAY_SPEAK.store(self.inner.outbox.may_speak(), Ordering::Relaxed);
        if alive > MANY {
            TOLD.warn(format_args!(
                "{alive} tracers are alive, each with a thread and connections of its own: make one when the program \
                 starts, and clone it wherever it is needed"
            ));
        }
    }
}

impl Candidates {
    /// Returns the chosen one, else the only one.
    fn meant(&self) -> Result<HoneyHiveTracer, usize> {
        if let Some(chosen) = &self.chosen {
            return Ok(chosen.clone());
        }
        let mut alive = self.alive.iter().filter_map(Weak::upgrade);
        match (alive.next(), alive.next()) {
            (Some(inner), None) => Ok(HoneyHiveTracer { inner }),
            (None, _) => Err(0),
            (Some(_), Some(_)) => Err(2 + alive.count()),
        }
    }
}

/// Returns the maker of the spans that begin here: that of the innermost session, else the default tracer's.
///
/// A session that has outlived its tracer records nothing: its spans have nowhere to go, and the default tracer's
/// session is not theirs.
#[inline]
pub(crate) fn maker_here(name: &str, site: CallSite) -> Option<Maker> {
    context::map(|cx| match current::in_context(cx) {
        Some(session) => maker_of(session, name, site),
        None if HAS_BEEN.load(Ordering::Acquire) => default_maker(name, site),
        None => {
            tell_of_none(name, site);
            None
        }
    })
    .flatten()
}

/// Logs that there is no tracer; the line is no warning, since a library may have `#[trace]` in a program without
/// HoneyHive.
fn tell_of_none(name: &str, site: CallSite) {
    static TOLD: Once = Once::new();
    TOLD.debug(format_args!(
        "the span {name:?} ({site}) began before there was a tracer, and is not recorded: make one first, with \
         `HoneyHiveTracer::from_env()` (said once for all such cases)"
    ));
}

fn maker_of(session: &Session, name: &str, site: CallSite) -> Option<Maker> {
    let maker = session.maker();
    if maker.is_none() {
        session
            .outbox
            .expect_open(format_args!("the span {name:?}"), site);
    }
    maker
}

#[inline(never)]
fn default_maker(name: &str, site: CallSite) -> Option<Maker> {
    let meant = CANDIDATES
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .meant();
    match meant {
        Ok(tracer) => {
            let maker = tracer.maker()?;
            (!suppression::is_suppressed(&maker.outbox)).then_some(maker)
        }
        Err(alive) => {
            warn_of_nobody(alive, name, site);
            None
        }
    }
}

/// Warns that no tracer is meant, only where there was one: a library may have `#[trace]` in a program without
/// HoneyHive.
fn warn_of_nobody(alive: usize, name: &str, site: CallSite) {
    static TOLD: OncePerSite = OncePerSite::new();
    if !TOLD.is_first(site) {
        return;
    }
    let why = match alive {
        0 => "no tracer is alive any more: keep one, or a clone of it, as long as something is recorded".to_owned(),
        _ => format!(
            "{alive} tracers are alive, so none is meant: name one with `tracer = …`, begin a session, or choose one \
             with `HoneyHiveTracer::set_default`"
        ),
    };
    let text = format!(
        "the span {name:?} ({site}) began outside every session, and is not recorded: {why}"
    );
    if alive > 0 {
        log::lost(text);
    } else {
        // No tracer will end any more, so this is the last chance to say it.
        let may_speak = MAY_SPEAK.swap(false, Ordering::Relaxed);
        log::lost_now(Level::WARN, text, may_speak);
    }
}

/// Returns a builder of a span for code without a tracer at hand: in the current session, else the default tracer's
/// own.
///
/// The default tracer is the only one of the process, else that of [`HoneyHiveTracer::set_default`]. Without any the
/// span is not recorded, as with [`#[honeyhive::trace]`](macro@crate::trace).
///
/// ```
/// # let (tracer, captured) = honeyhive::testing::tracer();
/// fn search(query: &str) -> usize {
///     let span = honeyhive::span("search").event_type("tool").start();
///     span.inputs(honeyhive::json!({"query": query}));
///     query.len()
/// }
///
/// tracer.create_session("chat").in_scope(|| search("tea"));
/// # captured.only_session().assert_tree("chat\n  search [tool]");
/// ```
#[track_caller]
pub fn span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    let name = name.into();
    let maker = maker_here(&name, CallSite::here());
    SpanBuilder::new(maker, name)
}
