//! Sessions: what they begin with, the handle, and which one is current.

mod create;
pub(crate) mod current;
mod new_session;
mod startup;

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

use futures_core::Stream;
use opentelemetry::context::{FutureExt, WithContext};
use opentelemetry::{Context, ContextGuard};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

pub use create::CreateSession;
pub use new_session::NewSession;
pub(crate) use startup::StartupSession;

use crate::enrichment::Enrichment;
use crate::error::StartError;
use crate::model::id::SessionId;
use crate::model::limits;
use crate::outbox::{Facts, Inputs, Outbox, Record, SessionEnd, StartRecord, Update};
use crate::report::DropReason;

/// A session: a cheap handle (two reference counts) that can go anywhere the work goes.
///
/// A span belongs to the session that is current where the span starts. Make a session current for a
/// block with [`enter`](Self::enter) or [`in_scope`](Self::in_scope), for a future with
/// [`scope`](Self::scope), for a task with [`spawn`](Self::spawn) or [`spawn_in`](Self::spawn_in), for a
/// stream with [`scope_stream`](Self::scope_stream), for a thread with [`wrap`](Self::wrap). A plain
/// `tokio::spawn` or `std::thread::spawn` starts with no session.
///
/// ```
/// use honeyhive::{Enrichment, HoneyHiveTracer, Session};
/// use serde_json::json;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let session = tracer.create_session("nightly-import");
/// session.in_scope(|| {
///     assert_eq!(Session::current().map(|s| s.id()), Some(session.id()));
/// });
/// session.enrich(Enrichment::new().outputs(json!({"rows": 10_000})));
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) start: Arc<StartRecord>,
    pub(crate) outbox: Arc<Outbox>,
}

/// Handles are equal where they are clones of one handle, so that a session which [moves](Session::link_to) stays the
/// same key of a map. To ask whether two handles stand for the same session of HoneyHive compare their
/// [`id`](Session::id)s.
impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.start, &other.start)
    }
}

impl Eq for Session {}

impl Hash for Session {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.start).hash(state);
    }
}

/// Its id and name: what it was asked is no matter for a log.
impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("id", &self.id())
            .field("name", &self.start.name)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn begin(outbox: &Arc<Outbox>, new: NewSession) -> Self {
        outbox.count_refused(new.refused);
        let is_linked = new.is_link();
        let start = start_record(new, SystemTime::now());
        if is_linked {
            Self::link(outbox, start)
        } else {
            Self::open(outbox, start)
        }
    }

    /// Hands a start over.
    #[inline]
    pub(crate) fn open(outbox: &Arc<Outbox>, start: StartRecord) -> Self {
        let session = Self::of(outbox, start);
        if let Err(reason) = outbox.push_start(&session.start) {
            session.start.settle(Err(match reason {
                DropReason::ShutDown => StartError::ShutDown,
                reason => StartError::Dropped { reason },
            }));
        }
        session
    }

    /// Links to a session that exists: what the start would have carried as metadata and user
    /// properties is merged into it.
    pub(crate) fn link(outbox: &Arc<Outbox>, start: StartRecord) -> Self {
        let began_with = start.began_with();
        let session = Self::of(outbox, start.linked());
        session.enrich(began_with);
        session
    }

    #[inline]
    fn of(outbox: &Arc<Outbox>, start: StartRecord) -> Self {
        Self {
            start: Arc::new(start),
            outbox: Arc::clone(outbox),
        }
    }

    /// The innermost session that is current here.
    #[must_use]
    pub fn current() -> Option<Self> {
        Context::map_current(|cx| current::in_context(cx).cloned())
    }

    /// The session's id. It changes when the session [moves](Self::link_to).
    #[must_use]
    #[inline]
    pub fn id(&self) -> SessionId {
        self.start.current_id()
    }

    /// Adds to the session. Never blocks: it is merged with what else is known and delivered in the
    /// background, in order.
    pub fn enrich(&self, enrichment: Enrichment) {
        self.outbox.count_refused(enrichment.refused_count());
        if !enrichment.is_empty() {
            self.update(Update::Enrich(Box::new(enrichment)));
        }
    }

    /// Says that nothing more is coming, for what waits for that.
    #[cfg(feature = "http-server")]
    pub(crate) fn has_ended(&self) {
        self.outbox.push(Record::Ended(self.id()));
        self.start.set_ended();
    }

    /// True for a session that began here and goes on under its first id.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.start.is_whole()
    }

    #[inline]
    pub(crate) fn update(&self, update: Update) {
        let timing = self.start.timing();
        self.outbox.push(Record::Update(self.id(), update, timing));
    }

    /// Says how it ended.
    #[inline]
    pub(crate) fn end(&self, end: SessionEnd) {
        let timing = self.start.timing();
        self.outbox.push_end(self.id(), end, timing);
        self.start.set_ended();
    }

    /// Moves this session to another id: a chat client often sends its conversation id in the body,
    /// after the request's session has begun.
    ///
    /// Everything later follows: spans, enrichments, the response header. Where nothing has been sent
    /// yet the provisional session is never created and what it had collected goes along
    /// ([`Moved::Whole`]). It can be moved once; a later call with another id is
    /// [`Moved::Refused`].
    ///
    /// ```
    /// use honeyhive::{HoneyHiveTracer, Moved};
    ///
    /// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let session = tracer.create_session("POST /chat");
    /// assert_eq!(session.link_to("conversation-7"), Moved::Whole);
    /// assert_eq!(session.id(), "conversation-7".into());
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn link_to(&self, id: impl Into<SessionId>) -> Moved {
        let id = id.into();
        let before = self.id();
        if before == id {
            return Moved::Whole;
        }
        if !self.start.move_to(id) {
            tracing::debug!(target: "honeyhive", "a session can be moved once; it stays where it is");
            return Moved::Refused;
        }
        if self.start.is_linked() {
            self.outbox.push(Record::Ended(before));
        }
        let withdrawn = self.start.withdraw();
        self.outbox.push(Record::Moved(Arc::clone(&self.start), id));
        if withdrawn {
            Moved::Whole
        } else {
            Moved::FromNowOn
        }
    }

    /// This context, with the session current in it. Spans keep their parent.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::map_current(|cx| self.within(cx))
    }

    pub(crate) fn within(&self, cx: &Context) -> Context {
        current::with_session(cx, self.clone(), false)
    }

    /// Makes the session current on this thread until the guard is dropped.
    ///
    /// Not across an `.await`: use [`scope`](Self::scope) there.
    #[must_use = "the session is current until the guard is dropped"]
    pub fn enter(&self) -> SessionGuard {
        SessionGuard(self.context().attach())
    }

    /// Runs `f` with the session current.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _guard = self.enter();
        f()
    }

    /// The future, with the session current whenever it is polled.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.context())
    }

    /// [`tokio::spawn`], with the session current in the task. A plain `tokio::spawn` loses it.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, as `tokio::spawn` does.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(self.scope(future))
    }

    /// [`tokio::task::spawn_blocking`], with the session current on the blocking thread.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, as `tokio::task::spawn_blocking` does.
    pub fn spawn_blocking<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        tokio::task::spawn_blocking(self.wrap(f))
    }

    /// [`JoinSet::spawn`], with the session current in the task.
    ///
    /// ```
    /// use tokio::task::JoinSet;
    ///
    /// # async fn example(tracer: honeyhive::HoneyHiveTracer) {
    /// let session = tracer.create_session("research");
    /// let mut searches = JoinSet::new();
    /// for page in 0..3 {
    ///     session.spawn_in(&mut searches, async move { page });
    /// }
    /// let pages = searches.join_all().await;
    /// # let _ = pages;
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, as `JoinSet::spawn` does.
    pub fn spawn_in<F>(&self, set: &mut JoinSet<F::Output>, future: F) -> AbortHandle
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        set.spawn(self.scope(future))
    }

    /// [`JoinSet::spawn_blocking`], with the session current on the blocking thread.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, as `JoinSet::spawn_blocking` does.
    pub fn spawn_blocking_in<F, T>(&self, set: &mut JoinSet<T>, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        set.spawn_blocking(self.wrap(f))
    }

    /// The stream, with the session current whenever it is polled: for one that is handed to somebody else, a
    /// response body say, who polls it after this code has returned.
    pub fn scope_stream<S: Stream>(&self, stream: S) -> WithContext<S> {
        stream.with_context(self.context())
    }

    /// The closure, with the session current while it runs, on whichever thread that is. Spans that start in
    /// it are children of the span that is current here.
    ///
    /// ```
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// # let session = tracer.create_session("import");
    /// let rows = std::thread::spawn(session.wrap(|| 10_000)); // likewise `rayon::spawn(..)`
    /// # assert_eq!(rows.join().ok(), Some(10_000));
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn wrap<F, T>(&self, f: F) -> impl FnOnce() -> T + use<F, T>
    where
        F: FnOnce() -> T,
    {
        let cx = self.context();
        move || {
            let _guard = cx.attach();
            f()
        }
    }

    /// As [`wrap`](Self::wrap), for a closure that is called many times with an argument, such as the one of a
    /// rayon iterator: `items.par_iter().map(session.wrap_fn(|item| …))`.
    pub fn wrap_fn<A, F, T>(&self, f: F) -> impl Fn(A) -> T + use<A, F, T>
    where
        F: Fn(A) -> T,
    {
        let cx = self.context();
        move |argument| {
            let _guard = cx.clone().attach();
            f(argument)
        }
    }
}

fn start_record(new: NewSession, started_at: SystemTime) -> StartRecord {
    let is_fresh = new.id.is_none();
    let id = new.id.unwrap_or_else(SessionId::new);
    let name = new.name.map_or_else(|| default_name(id), Arc::from);
    let mut start = StartRecord::new(id, name, Inputs::Object(new.inputs), started_at);
    let mut facts = Facts {
        source: new.source.map(String::into_boxed_str),
        metadata: new.metadata,
        user_properties: new.user_properties,
    };
    limits::fit_objects([&mut facts.metadata, &mut facts.user_properties]);
    start.facts = facts.boxed();
    start.is_fresh = is_fresh;
    start
}

/// `session-` and the first eight characters of the id, as the official SDK names them.
fn default_name(id: SessionId) -> Arc<str> {
    let mut buffer = [0; SessionId::LENGTH];
    format!("session-{}", &id.encode(&mut buffer)[..8]).into()
}

/// Keeps a session current on this thread; see [`Session::enter`].
#[must_use = "the session is current until the guard is dropped"]
pub struct SessionGuard(#[expect(dead_code, reason = "held for its drop")] ContextGuard);

impl fmt::Debug for SessionGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionGuard")
    }
}

/// What became of a session that was asked to move; see [`Session::link_to`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moved {
    /// All of it: nothing had been sent under the first id.
    Whole,
    /// From now on: the first session exists in HoneyHive already, with what was sent until here.
    FromNowOn,
    /// Not at all: it was moved before.
    Refused,
}
