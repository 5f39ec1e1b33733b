//! [`Capture`] keeps the calls that would have gone out, in test mode.

mod event;
mod fields;
mod session;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_sdk::trace::SpanData;

pub use self::event::CapturedEvent;
use self::fields::Fields;
pub use self::session::CapturedSession;
use super::sealed::{Body, Target};
#[cfg(feature = "client")]
use super::test_runs::TestRuns;
use crate::attributes::{EVENT_ID, SESSION_ID};
use crate::model::id::SessionId;

/// The sink of test mode keeps all deliveries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Capture {
    store: Arc<Mutex<Store>>,
    #[cfg(feature = "client")]
    runs: TestRuns,
}

#[derive(Debug, Default)]
struct Store {
    order: Vec<SessionId>,
    sessions: BTreeMap<SessionId, CapturedSession>,
}

impl Store {
    /// Returns all sessions, in the order of their starts, with the contents of their events.
    fn read(&self) -> Vec<CapturedSession> {
        let sessions = self.order.iter();
        let mut sessions: Vec<_> = sessions
            .filter_map(|id| self.sessions.get(id).cloned())
            .collect();
        sessions.sort_by(|one, other| one.began().total_cmp(&other.began()));
        for event in sessions.iter_mut().flat_map(|it| &mut it.events) {
            event.fill();
        }
        sessions
    }
}

impl Capture {
    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the experiment runs.
    #[cfg(feature = "client")]
    pub(crate) const fn runs(&self) -> &TestRuns {
        &self.runs
    }

    /// Returns all sessions, in the order of their starts.
    pub(crate) fn sessions(&self) -> Vec<CapturedSession> {
        self.lock().read()
    }

    /// Keeps a call.
    pub(super) fn keep(&self, target: Target, body: Body) {
        let mut store = self.lock();
        match (target, body) {
            (Target::Traces, Body::Plain(spans)) => store.add_spans(spans),
            (Target::Start(id), Body::Json(body)) => {
                store.session_mut(id).begin(Fields::of(&body));
            }
            (Target::Update(id), Body::Json(body)) => match store.event_mut(id) {
                Some(event) => event.update(Fields::of(&body)),
                None => store.session_mut(id).update(Fields::of(&body)),
            },
            _ => {}
        }
    }
}

impl Store {
    fn add_spans(&mut self, spans: Vec<SpanData>) {
        for event in spans.into_iter().map(CapturedEvent::of) {
            if let Some(id) = event.text(SESSION_ID) {
                let id = SessionId::from_correlation_id(&id);
                self.session_mut(id).events.push(event);
            }
        }
    }

    fn event_mut(&mut self, id: SessionId) -> Option<&mut CapturedEvent> {
        let id = id.to_string();
        let mut events = self
            .sessions
            .values_mut()
            .flat_map(|session| &mut session.events);
        events.find(|event| event.text(EVENT_ID).as_ref() == Some(&id))
    }

    fn session_mut(&mut self, id: SessionId) -> &mut CapturedSession {
        self.sessions.entry(id).or_insert_with(|| {
            self.order.push(id);
            CapturedSession::new(id)
        })
    }
}
