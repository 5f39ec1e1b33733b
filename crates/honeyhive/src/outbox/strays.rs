//! A span may end with no session while sessions are open, most often because a task or a thread was started without
//! the session. Debug builds watch for that.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::{CALL_SITE, OPEN_SESSIONS, SESSION_ID};
use crate::log::{CallSite, OncePerSite};

/// The strays know about sessions that a stray span might have belonged to.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    /// So many contexts hold a session.
    open: AtomicUsize,
    /// The flag tells whether the program has begun the tracer's own session itself, so that spans may well be meant
    /// for it.
    own_is_meant: AtomicBool,
}

impl Strays {
    pub(crate) fn session_opened(&self) {
        if cfg!(debug_assertions) {
            self.open.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn session_closed(&self) {
        if cfg!(debug_assertions) {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn own_session_is_meant(&self) {
        self.own_is_meant.store(true, Ordering::Relaxed);
    }

    /// Returns whether sessions are open; known in debug builds only.
    pub(crate) fn are_sessions_open(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// Warns of an addition to a session that was made outside all of them, while there were some: once a call site.
    pub(crate) fn warn_of_enrichment(&self, site: CallSite) {
        static TOLD: OncePerSite = OncePerSite::new();
        let is_meant = self.own_is_meant.load(Ordering::Relaxed);
        if cfg!(debug_assertions) && !is_meant && self.are_sessions_open() {
            TOLD.warn(site, format_args!(
                "`enrich_session` ({site}) was called outside every session while sessions were open, so it goes to \
                 the tracer's own; was its task, thread or stream started without the session? See `Session::spawn`, \
                 `wrap` and `scope_stream`. This is said in debug builds only"
            ));
        }
    }

    /// Notes on an ended span how many sessions it might have belonged to.
    pub(crate) fn note(&self, span: &mut SpanData) {
        if !cfg!(debug_assertions) || self.own_is_meant.load(Ordering::Relaxed) {
            return;
        }
        let open = self.open.load(Ordering::Relaxed);
        let has_session = |it: &KeyValue| it.key.as_str() == SESSION_ID;
        if open > 0 && !span.attributes.iter().any(has_session) {
            span.attributes
                .push(KeyValue::new(OPEN_SESSIONS, open as i64));
        }
    }
}

/// A stray span belonged to no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    pub(crate) name: String,
    /// The site is where the span was started: a line of code, else the library.
    pub(crate) site: String,
}

impl Stray {
    /// Reads the stray of a span; `None` where no session was open.
    pub(crate) fn of(span: &SpanData) -> Option<Self> {
        let find = |key| span.attributes.iter().find(|it| it.key.as_str() == key);
        find(OPEN_SESSIONS)?;
        let site = find(CALL_SITE).map_or_else(
            || span.instrumentation_scope.name().to_owned(),
            |site| site.value.as_str().into_owned(),
        );
        Some(Self {
            name: span.name.to_string(),
            site,
        })
    }
}

/// Takes the notes off again.
pub(crate) fn forget(span: &mut SpanData) {
    if cfg!(debug_assertions) {
        let is_note = |it: &KeyValue| [OPEN_SESSIONS, CALL_SITE].contains(&it.key.as_str());
        span.attributes.retain(|attribute| !is_note(attribute));
    }
}
