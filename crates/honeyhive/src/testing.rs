//! The captured sessions and spans are in memory, for your own tests (feature `testing`).
//!
//! ```
//! use honeyhive::{EventType, testing};
//! use serde_json::json;
//!
//! let (tracer, captured) = testing::tracer();
//!
//! let session = tracer.create_session("support-chat");
//! session.in_scope(|| {
//!     let turn = tracer.span("turn").event_type(EventType::Chain).start();
//!     turn.in_scope(|| {
//!         let model = tracer.span("answer").event_type(EventType::Model).start();
//!         model.outputs(json!({"content": "42"}));
//!     });
//! });
//!
//! captured.only_session().assert_tree(
//!     "support-chat
//!        turn [chain]
//!          answer [model]",
//! );
//! # let _ = session;
//! ```

use std::fmt;
use std::time::{Duration, Instant};

#[cfg(feature = "client")]
use serde_json::{Map, Value};

#[cfg(feature = "client")]
use crate::client::RunStatus;
use crate::delivery::capture::Capture;
pub use crate::delivery::capture::{CapturedEvent, CapturedSession};
use crate::model::id::SessionId;
use crate::{HoneyHiveTracer, HoneyHiveTracerBuilder};

/// A read waits this long for the delivery thread, which delivers into memory and so never needs it.
const SETTLE: Duration = Duration::from_secs(10);

/// Returns a tracer in test mode, and its recordings. The tracer needs no key, no network and no environment.
///
/// # Panics
///
/// The tracer cannot be built, which only a machine without threads brings about.
#[must_use]
pub fn tracer() -> (HoneyHiveTracer, Captured) {
    tracer_with(|builder| builder)
}

/// Does the same as [`tracer()`], with settings of the program's own, for tests of what they do.
///
/// ```
/// use honeyhive::{SpanFilter, testing};
///
/// let filter = SpanFilter::new().exclude_name("poll");
/// let (tracer, captured) = testing::tracer_with(|builder| builder.span_filter(filter));
/// drop(tracer.span("poll").start());
/// assert!(captured.sessions().is_empty());
/// ```
///
/// # Panics
///
/// A setting is unusable, or no thread can be had.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that cannot begin should say so")]
pub fn tracer_with(
    configure: impl FnOnce(HoneyHiveTracerBuilder) -> HoneyHiveTracerBuilder,
) -> (HoneyHiveTracer, Captured) {
    let capture = Capture::default();
    let tracer = configure(HoneyHiveTracer::builder().isolated())
        .test_mode(true)
        .capture(capture.clone())
        .build()
        .expect("a tracer in test mode needs nothing but a thread");
    let captured = Captured {
        tracer: tracer.clone(),
        capture,
    };
    (tracer, captured)
}

/// `Captured` reads what the tracer from [`tracer()`] has recorded. Every read first waits until all that was recorded
/// so far has arrived.
#[derive(Clone)]
pub struct Captured {
    tracer: HoneyHiveTracer,
    capture: Capture,
}

/// Shows the sessions that have arrived, without a wait for others.
impl fmt::Debug for Captured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Captured");
        shown.field("sessions", &self.capture.sessions());
        shown.finish_non_exhaustive()
    }
}

impl Captured {
    /// Returns all sessions, in the order of their starts.
    #[must_use]
    pub fn sessions(&self) -> Vec<CapturedSession> {
        self.settle();
        self.capture.sessions()
    }

    /// Returns one session.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<CapturedSession> {
        self.sessions().into_iter().find(|session| session.id == id)
    }

    /// Returns the only session.
    ///
    /// # Panics
    ///
    /// The call panics where there are none or several.
    #[must_use]
    #[track_caller]
    pub fn only_session(&self) -> CapturedSession {
        let mut sessions = self.sessions();
        assert_eq!(sessions.len(), 1, "expected one session, got {sessions:#?}");
        sessions.remove(0)
    }

    /// Returns the only session with this name.
    ///
    /// # Panics
    ///
    /// The call panics where there are none or several.
    #[must_use]
    #[track_caller]
    pub fn session_named(&self, name: &str) -> CapturedSession {
        let sessions = self.sessions();
        let is_named = |session: &&CapturedSession| session.name.as_deref() == Some(name);
        let mut named = sessions.iter().filter(is_named);
        match (named.next(), named.next()) {
            (Some(session), None) => session.clone(),
            (None, _) => panic!("no session is called {name:?}; there are {sessions:#?}"),
            (Some(_), Some(_)) => panic!("several sessions are called {name:?}: {sessions:#?}"),
        }
    }

    /// Waits until the only session with this name has ended, which may happen in another task: 10 s at the most.
    ///
    /// # Panics
    ///
    /// The session has not ended by then. A request's session ends with its answer's body, so read that.
    #[must_use]
    #[track_caller]
    pub fn wait_for_end(&self, name: &str) -> CapturedSession {
        const PAUSE: Duration = Duration::from_millis(5);
        let began = Instant::now();
        loop {
            let sessions = self.sessions();
            let is_named = |session: &&CapturedSession| session.name.as_deref() == Some(name);
            let has_ended = sessions
                .iter()
                .filter(is_named)
                .any(|it| it.end_time.is_some());
            if has_ended {
                return self.session_named(name);
            }
            assert!(
                began.elapsed() < SETTLE,
                "no session {name:?} has ended (is the body of the answer read to its end?): {sessions:#?}"
            );
            std::thread::sleep(PAUSE);
        }
    }

    /// Returns the experiment runs that the tracer's [`client`](HoneyHiveTracer::client) has made, in the order of
    /// their creation.
    ///
    /// ```
    /// use honeyhive::client::{NewRun, RunStatus, UpdateRun};
    /// use honeyhive::testing;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), honeyhive::client::ClientError> {
    /// let (tracer, captured) = testing::tracer();
    /// let client = tracer.client();
    /// let run = client.runs().create(&NewRun::named("support-bot")).await?;
    /// let done = UpdateRun::new().status(RunStatus::Completed);
    /// client.runs().update(&run.run_id, &done).await?;
    /// assert_eq!(captured.runs()[0].status, Some(RunStatus::Completed));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "client")]
    #[must_use]
    pub fn runs(&self) -> Vec<CapturedRun> {
        let runs = self.capture.runs().all().into_iter();
        runs.map(CapturedRun::of).collect()
    }

    fn settle(&self) {
        // A flush after a shutdown fails, and everything has arrived already.
        let _ = self.tracer.force_flush_blocking(SETTLE);
    }
}

/// A captured run is an experiment run, as it would have been sent.
#[cfg(feature = "client")]
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CapturedRun {
    /// The run has this id.
    pub run_id: String,
    /// The run has this name.
    pub name: Option<String>,
    /// The description is a text about the run.
    pub description: Option<String>,
    /// The run has this status.
    pub status: Option<RunStatus>,
    /// The metadata holds facts about the run.
    pub metadata: Map<String, Value>,
    /// The run has these results.
    pub results: Map<String, Value>,
    /// The run starts with these settings.
    pub configuration: Map<String, Value>,
    /// The run is over this stored dataset.
    pub dataset_id: Option<String>,
    /// The run's sessions have these ids.
    pub event_ids: Vec<String>,
    /// The run's sessions have these ids, under their other name.
    pub session_ids: Vec<String>,
    /// The run's datapoints have these ids.
    pub datapoint_ids: Vec<String>,
    /// The run's evaluators have these names.
    pub evaluators: Vec<String>,
    /// Metrics pass in these ranges.
    pub passing_ranges: Map<String, Value>,
}

#[cfg(feature = "client")]
impl CapturedRun {
    fn of(fields: Map<String, Value>) -> Self {
        // The typed client has made the body, so each field is what it should be.
        serde_json::from_value(fields.into()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn trees_that_differ_are_both_shown_with_the_line_of_their_difference() {
        let (tracer, captured) = super::tracer();
        let session = tracer.create_session("chat");
        session.in_scope(|| drop(tracer.tool("search").start()));
        let session = captured.only_session();
        let compare = || session.assert_tree("chat\n  answer [tool]");
        let panic = catch_unwind(AssertUnwindSafe(compare)).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("from line 2 on"), "{text}");
        assert!(
            text.contains("expected:\nchat\n  answer [tool]\n"),
            "{text}"
        );
        assert!(
            text.contains("recorded:\nchat\n  search [tool]\n"),
            "{text}"
        );
    }
}
