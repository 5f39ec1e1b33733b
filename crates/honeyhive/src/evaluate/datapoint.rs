//! Functions are given a [`Datapoint`], and evaluators a [`Case`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use crate::session::Session;

/// `Typed` is a row in the types of the function.
#[derive(Debug)]
pub(super) struct Typed<I, G> {
    pub(super) id: Arc<str>,
    pub(super) position: usize,
    pub(super) inputs: I,
    pub(super) ground_truth: Option<G>,
    /// The inputs as they are sent.
    pub(super) inputs_json: Value,
    pub(super) ground_truth_json: Option<Value>,
    /// The row's own number of trials, if it has one.
    pub(super) trials: Option<u32>,
}

/// `Recorded` holds the numbers that the program has recorded of a trial, over all attempts.
pub(super) type Recorded = Arc<Mutex<BTreeMap<String, f64>>>;

/// A `Datapoint` is the function's argument: a cheap handle of a row of the dataset, and of the session that it runs
/// in.
pub struct Datapoint<I, G = Value> {
    inner: Arc<Inner<I, G>>,
}

struct Inner<I, G> {
    row: Arc<Typed<I, G>>,
    trial: u32,
    attempt: u32,
    session: Session,
    recorded: Recorded,
}

impl<I, G> Clone for Datapoint<I, G> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

/// Shows the id, the trial and the attempt, but no content: content does not belong in a log.
impl<I, G> fmt::Debug for Datapoint<I, G> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Datapoint")
            .field("id", &self.id())
            .field("trial", &self.trial())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}

impl<I, G> Datapoint<I, G> {
    pub(super) fn new(
        row: Arc<Typed<I, G>>,
        trial: u32,
        attempt: u32,
        session: Session,
        recorded: Recorded,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                row,
                trial,
                attempt,
                session,
                recorded,
            }),
        }
    }

    /// Returns the inputs of the row.
    #[must_use]
    pub fn inputs(&self) -> &I {
        &self.inner.row.inputs
    }

    /// Returns the expected outputs, if the row has them.
    #[must_use]
    pub fn ground_truth(&self) -> Option<&G> {
        self.inner.row.ground_truth.as_ref()
    }

    /// Returns the datapoint's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.row.id
    }

    /// Returns the number of the trial; the first is 0.
    #[must_use]
    pub fn trial(&self) -> u32 {
        self.inner.trial
    }

    /// Returns the number of the attempt of the trial; the first is 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.attempt
    }

    /// Returns the trial's session in HoneyHive. It is current while function and evaluators run.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.inner.session
    }

    /// Returns the headers that take the session to a service: `X-Session-ID`, `baggage` and `traceparent`. The service
    /// joins the session, and what it records belongs to this datapoint.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.session().headers()
    }

    /// Records a number of this trial: a metric of this name, whose [sum](crate::evaluate::Progress::sum) is there for
    /// [`stop_when`](crate::evaluate::Evaluate::stop_when). Numbers of one name add up, over all attempts. NaN and
    /// infinite numbers are left out.
    pub fn record(&self, name: impl Into<String>, number: f64) {
        if number.is_finite() {
            let mut recorded = self
                .inner
                .recorded
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *recorded.entry(name.into()).or_insert(0.0) += number;
        }
    }
}

/// A `Case` is an evaluator's argument: the datapoint, and the function's outputs for it. Clones are cheap.
pub struct Case<I, G, O> {
    inner: Arc<CaseInner<I, G, O>>,
}

struct CaseInner<I, G, O> {
    datapoint: Datapoint<I, G>,
    outputs: O,
    duration: Duration,
}

impl<I, G, O> Clone for Case<I, G, O> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

/// Shows the datapoint, but no content: content does not belong in a log.
impl<I, G, O> fmt::Debug for Case<I, G, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Case")
            .field("datapoint", self.datapoint())
            .finish_non_exhaustive()
    }
}

impl<I, G, O> Case<I, G, O> {
    pub(super) fn new(datapoint: Datapoint<I, G>, outputs: O, duration: Duration) -> Self {
        Self {
            inner: Arc::new(CaseInner {
                datapoint,
                outputs,
                duration,
            }),
        }
    }

    /// Returns the datapoint.
    #[must_use]
    pub fn datapoint(&self) -> &Datapoint<I, G> {
        &self.inner.datapoint
    }

    /// Returns the inputs of the row.
    #[must_use]
    pub fn inputs(&self) -> &I {
        self.inner.datapoint.inputs()
    }

    /// Returns the expected outputs, if the row has them.
    #[must_use]
    pub fn ground_truth(&self) -> Option<&G> {
        self.inner.datapoint.ground_truth()
    }

    /// Returns the function's outputs.
    #[must_use]
    pub fn outputs(&self) -> &O {
        &self.inner.outputs
    }

    /// Returns the datapoint's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.inner.datapoint.id()
    }

    /// Returns how long the function took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.inner.duration
    }
}
