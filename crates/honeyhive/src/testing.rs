//! Sessions and spans captured in memory, for your own tests (feature `testing`).
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

use std::time::Duration;

use crate::HoneyHiveTracer;
use crate::delivery::capture::Capture;
pub use crate::delivery::capture::{CapturedEvent, CapturedSession};
use crate::model::id::SessionId;

/// How long reading waits for the delivery thread. It delivers into memory, so this is never reached.
const SETTLE: Duration = Duration::from_secs(10);

/// A tracer in test mode, and what it records. No key, no network, no environment.
///
/// # Panics
///
/// Where the tracer cannot be built, which only a machine without threads brings about.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that cannot begin should say so")]
pub fn tracer() -> (HoneyHiveTracer, Captured) {
    let capture = Capture::default();
    let tracer = HoneyHiveTracer::builder()
        .isolated()
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

/// What a tracer from [`tracer()`] has recorded. Every reading first waits until all that was recorded so
/// far has arrived.
#[derive(Debug, Clone)]
pub struct Captured {
    tracer: HoneyHiveTracer,
    capture: Capture,
}

impl Captured {
    /// All sessions, in the order they arrived.
    #[must_use]
    pub fn sessions(&self) -> Vec<CapturedSession> {
        self.settle();
        self.capture.sessions()
    }

    /// One session.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<CapturedSession> {
        self.sessions().into_iter().find(|session| session.id == id)
    }

    /// The one session there is.
    ///
    /// # Panics
    ///
    /// When there are none or several.
    #[must_use]
    #[track_caller]
    pub fn only_session(&self) -> CapturedSession {
        let mut sessions = self.sessions();
        assert_eq!(sessions.len(), 1, "expected one session, got {sessions:#?}");
        sessions.remove(0)
    }

    fn settle(&self) {
        // After a shutdown everything has arrived already.
        let _ = self.tracer.force_flush_blocking(SETTLE);
    }
}
