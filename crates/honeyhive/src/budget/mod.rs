//! [`SessionBudget`] limits the usage of a session; the program is told where a session passes a limit.

mod counters;
mod usage;

use std::fmt;
use std::sync::Arc;

pub(crate) use counters::Counters;
pub use usage::SessionUsage;
pub(crate) use usage::of_span;

use crate::model::id::SessionId;

/// A budget remembers this many sessions by default.
const SESSIONS: usize = 10_000;

type Hook = Arc<dyn Fn(&BudgetPassed) + Send + Sync>;

/// A budget counts the usage of each session, and calls the program where a session passes a limit. Nothing is
/// enforced.
///
/// The budget counts in this process, as things are recorded:
///
/// * a span of the type model when it ends, with the tokens and the cost that are said on it ([`SessionUsage`]);
/// * a turn when a request, an invocation or `create_session` begins or continues the session.
///
/// [`Session::usage`](crate::Session::usage) reads the counts.
///
/// A budget without limits only counts. A tracer without a budget counts nothing.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::sync::Arc;
///
/// use honeyhive::{BudgetLimit, SessionBudget, json, testing};
///
/// let too_much = Arc::new(AtomicBool::new(false));
/// let budget = SessionBudget::new().tokens(1_000).cost(0.50).on_passed({
///     let too_much = Arc::clone(&too_much);
///     move |passed| too_much.store(passed.limit == BudgetLimit::Tokens, Ordering::Relaxed)
/// });
/// let (tracer, _captured) = testing::tracer_with(|builder| builder.session_budget(budget));
///
/// let session = tracer.create_session("agent");
/// let call = session.in_scope(|| tracer.model("answer").start());
/// call.metadata(json!({"input_tokens": 900, "output_tokens": 150, "cost": 0.02}));
/// drop(call);
///
/// let usage = session.usage().expect("the tracer has a budget");
/// assert_eq!((usage.tokens, usage.model_calls, usage.turns), (1_050, 1, 1));
/// assert!(too_much.load(Ordering::Relaxed));
/// ```
#[derive(Clone)]
#[must_use = "a budget is given to `HoneyHiveTracer::builder().session_budget(..)`"]
pub struct SessionBudget {
    limits: Limits,
    sessions: usize,
    hook: Option<Hook>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    tokens: Option<u64>,
    model_calls: Option<u64>,
    cost: Option<f64>,
    turns: Option<u64>,
}

impl SessionBudget {
    /// Returns a budget that only counts.
    pub const fn new() -> Self {
        Self {
            limits: Limits {
                tokens: None,
                model_calls: None,
                cost: None,
                turns: None,
            },
            sessions: SESSIONS,
            hook: None,
        }
    }

    /// Sets the most tokens of a session, input and output together (default: no limit).
    pub const fn tokens(mut self, most: u64) -> Self {
        self.limits.tokens = Some(most);
        self
    }

    /// Sets the largest number of model calls in a session (default: no limit).
    pub const fn model_calls(mut self, most: u64) -> Self {
        self.limits.model_calls = Some(most);
        self
    }

    /// Sets the highest cost of a session, in the currency in which spans state their cost (default: no limit). This
    /// crate knows no prices: a span without a cost counts as free.
    pub const fn cost(mut self, most: f64) -> Self {
        self.limits.cost = Some(most);
        self
    }

    /// Sets the most turns of a session: requests, invocations, `create_session` (default: no limit).
    pub const fn turns(mut self, most: u64) -> Self {
        self.limits.turns = Some(most);
        self
    }

    /// Sets the number of sessions that are remembered, about 100 bytes each (default 10,000). Past it, the sessions
    /// that were not counted for the longest time are forgotten, and begin anew at zero; at least half of the number is
    /// always remembered.
    pub const fn sessions(mut self, most: usize) -> Self {
        self.sessions = most;
        self
    }

    /// Sets a callback for a session that passes a limit: called once per limit and session, on the thread that
    /// recorded the span, so it should be quick. A panic in it is caught and counted
    /// ([`DeliveryStats::callback_panics`](crate::DeliveryStats::callback_panics)).
    pub fn on_passed(mut self, hook: impl Fn(&BudgetPassed) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }
}

impl Default for SessionBudget {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SessionBudget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SessionBudget")
            .field("limits", &self.limits)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

/// A [`SessionBudget`] has these limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BudgetLimit {
    /// The session has passed [`SessionBudget::tokens`].
    Tokens,
    /// The session has passed [`SessionBudget::model_calls`].
    ModelCalls,
    /// The session has passed [`SessionBudget::cost`].
    Cost,
    /// The session has passed [`SessionBudget::turns`].
    Turns,
}

impl BudgetLimit {
    const ALL: [Self; 4] = [Self::Tokens, Self::ModelCalls, Self::Cost, Self::Turns];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Limits {
    fn are_passed(&self, limit: BudgetLimit, usage: &SessionUsage) -> bool {
        let over = |most: Option<u64>, used: u64| most.is_some_and(|most| used > most);
        match limit {
            BudgetLimit::Tokens => over(self.tokens, usage.tokens),
            BudgetLimit::ModelCalls => over(self.model_calls, usage.model_calls),
            BudgetLimit::Cost => self.cost.is_some_and(|most| usage.cost > most),
            BudgetLimit::Turns => over(self.turns, usage.turns),
        }
    }
}

/// A session has passed a limit of its budget; see [`SessionBudget::on_passed`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BudgetPassed {
    /// The session has this id.
    pub session: SessionId,
    /// The session has passed this limit.
    pub limit: BudgetLimit,
    /// The usage is that of the session by now.
    pub usage: SessionUsage,
}
