//! [`Traffic`] makes conversations of several turns through a real axum server, at a rate.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use honeyhive::{Enrichment, HoneyHiveTracer, SessionId};
use honeyhive_tower::{CurrentSession, HoneyHiveLayer};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::adapter::Running;
use crate::client::Client;
use crate::tower::serve_router;

/// A conversation has this number of turns, which are a request each.
pub const TURNS: u64 = 3;

/// A `Service` is a chat server under `HoneyHiveLayer`.
#[must_use = "dropping it stops the server"]
pub struct Service {
    running: Running,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Service")
            .field("address", &self.running.address)
            .finish()
    }
}

impl Service {
    /// Starts a service.
    pub async fn start(tracer: &HoneyHiveTracer) -> Self {
        let router = Router::new()
            .route("/turn/{number}", post(turn))
            .with_state(tracer.clone())
            .layer(HoneyHiveLayer::new(tracer.clone()));
        Self {
            running: serve_router(router).await,
        }
    }

    /// Stops the service, after what is under way.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

/// Handles a turn: it writes the keys of the turn before again, and one of its own.
async fn turn(
    State(tracer): State<HoneyHiveTracer>,
    session: CurrentSession,
    Path(number): Path<u64>,
) -> String {
    let note = json!({"turn": number, "step": 1, format!("turn_{number}"): true});
    session.enrich(Enrichment::new().metadata(note));
    let span = tracer
        .span("work")
        .inputs(json!({ "turn": number }))
        .start();
    span.scope(tokio::task::yield_now()).await;
    drop(span);
    session.enrich(Enrichment::new().metadata(json!({"step": 2})));
    number.to_string()
}

/// `Traffic` has the actions and the observations of a service's users.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    failed: AtomicU64,
    /// The sessions, only where somebody asks for them: they grow.
    sessions: Option<Mutex<BTreeSet<SessionId>>>,
}

impl Traffic {
    /// Returns traffic of which the sessions are kept.
    #[must_use]
    pub fn keeping_sessions() -> Self {
        Self {
            sessions: Some(Mutex::default()),
            ..Self::default()
        }
    }

    /// Returns the number of requests that were answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns the number of requests that were not answered as they should be.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Returns the sessions so far.
    #[must_use]
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        let sessions = self.sessions.as_ref().map(Mutex::lock);
        let sessions = sessions.map(|it| it.unwrap_or_else(PoisonError::into_inner).clone());
        sessions.unwrap_or_default()
    }

    /// Makes requests at a rate for a time, and waits for their answers.
    pub async fn run(self: &Arc<Self>, service: &Service, per_second: u32, time: Duration) {
        let client = Client::keeping_connections(service.running.address);
        let apart = Duration::from_secs(TURNS) / per_second;
        let mut clock = interval(apart);
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let conversations = time.as_nanos() / apart.as_nanos();
        let mut under_way = JoinSet::new();
        for _ in 0..conversations {
            clock.tick().await;
            let (traffic, client) = (Arc::clone(self), client.clone());
            under_way.spawn(async move { traffic.converse(&client).await });
            while under_way.try_join_next().is_some() {}
        }
        under_way.join_all().await;
    }

    async fn converse(&self, client: &Client) {
        let mut session = None::<SessionId>;
        for number in 1..=TURNS {
            let mut call = client.request("POST", &format!("/turn/{number}"));
            if let Some(id) = session {
                call = call.header("x-session-id", id.to_string());
            }
            let answer = call.attempt().await;
            self.requests.fetch_add(1, Ordering::Relaxed);
            match answer {
                Ok(answer) if answer.status == 200 && answer.text() == number.to_string() => {
                    session = Some(answer.session_id());
                }
                _ => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
        if let (Some(id), Some(sessions)) = (session, &self.sessions) {
            sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id);
        }
    }
}
