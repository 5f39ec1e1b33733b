//! A [`Stage`] has a HoneyHive, a server under test and a client, each on a real socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use honeyhive::http::{ServerInstrumentation, ServerInstrumentationBuilder};
use honeyhive::{DeliveryStats, HoneyHiveTracer, HoneyHiveTracerBuilder, SessionId};
use honeyhive_local::{
    LocalServer, LocalServerBuilder, LocalSession, RecordedRequest, UnknownUpdates,
};
use opentelemetry::trace::TracerProvider;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use crate::adapter::{Adapter, Running, Setup};
use crate::app::App;
use crate::client::{Call, Client};

/// `PATIENCE` is far more than anything here takes; only a thing that never happens reaches it.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The window is so long that a session is sent only when it has ended or a row asks for it.
const HELD_BACK: Duration = Duration::from_secs(600);

/// Every session here has this source.
pub const SOURCE: &str = "conformance";

/// Returns the reaction of a HoneyHive to an update of an unknown event. HoneyHive's own is not documented, so rows and
/// tests hold for both: 404, or with `FORGETFUL_HONEYHIVE` a 200 that forgets the update.
#[must_use]
pub fn unknown_updates() -> UnknownUpdates {
    if std::env::var_os("FORGETFUL_HONEYHIVE").is_some() {
        UnknownUpdates::Forget
    } else {
        UnknownUpdates::Refuse
    }
}

/// Returns the builder of a HoneyHive whose port no other test of this process gets.
///
/// A tracer outlives its HoneyHive and goes on trying: the system would give the port to the next server that asks for
/// any, and that is another test's.
pub fn local_server() -> LocalServerBuilder {
    LocalServer::builder().address(kept_address())
}

/// Binds a socket for the rest of the process, and never listens on it. Others may listen there who ask for it by its
/// number.
fn kept_address() -> SocketAddr {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    if cfg!(not(target_os = "linux")) {
        return any;
    }
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a setting");
    socket.bind(any).expect("a free port");
    let address = socket.local_addr().expect("an address");
    std::mem::forget(socket);
    address
}

/// Starts a HoneyHive.
pub async fn honeyhive() -> LocalServer {
    local_server()
        .unknown_updates(unknown_updates())
        .start()
        .await
        .expect("a HoneyHive on this machine")
}

/// Returns a tracer for a HoneyHive. The tracer holds sessions back until they have ended or it is flushed.
#[must_use]
pub fn tracer(url: &str) -> HoneyHiveTracer {
    tracer_builder(url).build().expect("a tracer")
}

fn tracer_builder(url: &str) -> HoneyHiveTracerBuilder {
    HoneyHiveTracer::builder()
        .api_key("hh_conformance")
        .server_url(url)
        .source(SOURCE)
        .coalesce_window(HELD_BACK)
}

/// Returns a subscriber whose spans go to a tracer.
#[must_use]
pub fn dispatch_to(tracer: &HoneyHiveTracer) -> Dispatch {
    let layer = tracing_opentelemetry::layer().with_tracer(tracer.provider().tracer("tracing"));
    Dispatch::new(tracing_subscriber::registry().with(layer))
}

/// A `Stage` has a HoneyHive, a tracer, a server under test and a client of it.
#[derive(Debug)]
pub struct Stage {
    /// The HoneyHive that the tracer writes to.
    pub honeyhive: LocalServer,
    /// The tracer of the server under test.
    pub tracer: HoneyHiveTracer,
    /// The state that its handlers share.
    pub app: Arc<App>,
    /// The client.
    pub client: Client,
    running: Running,
}

type Change<T> = Box<dyn FnOnce(T) -> T>;

/// A `StageBuilder` has the settings of a [`Stage`].
#[must_use = "a stage is set by `.start()`"]
pub struct StageBuilder {
    url: Option<String>,
    tracer: Change<HoneyHiveTracerBuilder>,
    instrumentation: Change<ServerInstrumentationBuilder>,
    second: Option<HoneyHiveTracer>,
    twice: bool,
    is_bare: bool,
    compressed: bool,
}

impl StageBuilder {
    /// Sets another address of HoneyHive than that of the stage's own.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Changes the settings of the tracer.
    pub fn tracer(
        mut self,
        change: impl FnOnce(HoneyHiveTracerBuilder) -> HoneyHiveTracerBuilder + 'static,
    ) -> Self {
        self.tracer = Box::new(change);
        self
    }

    /// Gives up soon on a HoneyHive that does not answer, so that the row ends soon.
    pub fn impatient(self) -> Self {
        self.tracer(|builder| builder.api_timeout(Duration::from_millis(300)))
    }

    /// Changes the settings of the instrumentation.
    pub fn instrumentation(
        mut self,
        change: impl FnOnce(ServerInstrumentationBuilder) -> ServerInstrumentationBuilder + 'static,
    ) -> Self {
        self.instrumentation = Box::new(change);
        self
    }

    /// Adds the instrumentation of a second tracer inside the first.
    pub fn second(mut self, tracer: HoneyHiveTracer) -> Self {
        self.second = Some(tracer);
        self
    }

    /// Adds the same instrumentation once more inside the first.
    pub fn twice(mut self) -> Self {
        self.twice = true;
        self
    }

    /// Leaves HoneyHive out of the server.
    pub fn bare(mut self) -> Self {
        self.is_bare = true;
        self
    }

    /// Puts the framework's own compression around everything.
    pub fn compressed(mut self, on: bool) -> Self {
        self.compressed = on;
        self
    }

    /// Starts everything.
    pub async fn start<A: Adapter>(self) -> Stage {
        let honeyhive = honeyhive().await;
        let url = self.url.unwrap_or_else(|| honeyhive.url());
        let tracer = (self.tracer)(tracer_builder(&url))
            .build()
            .expect("a tracer");
        let first = (self.instrumentation)(ServerInstrumentation::builder(tracer.clone()))
            .build()
            .expect("an instrumentation");
        let mut instrumentations = Vec::new();
        instrumentations.extend((!self.is_bare).then(|| first.clone()));
        instrumentations.extend(self.twice.then_some(first));
        instrumentations.extend(self.second.clone().map(ServerInstrumentation::new));
        let app = Arc::new(App {
            second: self.second,
            dispatch: dispatch_to(&tracer),
            ..App::new(tracer.clone())
        });
        let running = A::serve(Setup {
            instrumentations,
            compressed: self.compressed,
            app: Arc::clone(&app),
        })
        .await;
        Stage {
            honeyhive,
            tracer,
            app,
            client: Client::new(running.address),
            running,
        }
    }
}

impl std::fmt::Debug for StageBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StageBuilder")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// Begins a stage.
    pub fn builder() -> StageBuilder {
        StageBuilder {
            url: None,
            tracer: Box::new(|builder| builder),
            instrumentation: Box::new(|builder| builder),
            second: None,
            twice: false,
            is_bare: false,
            compressed: false,
        }
    }

    /// Starts a stage with the defaults.
    pub async fn start<A: Adapter>() -> Self {
        Self::builder().start::<A>().await
    }

    /// Returns the address of the server under test.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Begins a request to the server under test.
    pub fn request(&self, method: &str, path: &str) -> Call {
        self.client.request(method, path)
    }

    /// Opens a bare connection to the server under test, and writes `request` on it.
    pub async fn connect(&self, request: &[u8]) -> TcpStream {
        let mut connection = TcpStream::connect(self.address()).await.expect("a server");
        connection.write_all(request).await.expect("it reads");
        connection
    }

    /// Delivers everything so far.
    pub async fn settle(&self) {
        let flushed = self.tracer.force_flush(PATIENCE).await;
        flushed.expect("everything is delivered");
        self.assert_no_update_came_too_early();
    }

    /// Fails where HoneyHive was told of what it did not know yet. A HoneyHive that answers 200 and forgets would have
    /// lost such an update, so a row that passes with one that answers 404 passes with the other, too.
    pub fn assert_no_update_came_too_early(&self) {
        let calls = self.honeyhive.requests();
        let early = calls.iter().find(|it| {
            it.status == Some(404) && it.method == "PUT" && it.path.starts_with("/v1/events/")
        });
        assert!(
            early.is_none(),
            "HoneyHive does not know this yet: {early:?}"
        );
    }

    /// Returns the one session there is, after everything has been delivered.
    pub async fn only_session(&self) -> LocalSession {
        self.settle().await;
        let mut sessions = self.honeyhive.sessions();
        assert_eq!(sessions.len(), 1, "one session, not {sessions:#?}");
        sessions.remove(0)
    }

    /// Returns a session, after everything has been delivered.
    pub async fn session(&self, id: SessionId) -> LocalSession {
        self.settle().await;
        self.known(id)
    }

    /// Returns a session, as HoneyHive knows it now.
    #[must_use]
    pub fn known(&self, id: SessionId) -> LocalSession {
        let session = self.honeyhive.session(&id.to_string());
        session.unwrap_or_else(|| {
            let others = self.honeyhive.sessions();
            panic!("HoneyHive does not know {id}, only {others:#?}")
        })
    }

    /// Returns the session and its spans as text.
    #[must_use]
    pub fn tree(&self, id: SessionId) -> String {
        self.honeyhive.tree(&id.to_string())
    }

    /// Returns the names of a session's spans, sorted.
    #[must_use]
    pub fn span_names(&self, id: SessionId) -> Vec<String> {
        span_names(&self.honeyhive, id)
    }

    /// Waits until HoneyHive has seen something.
    pub async fn until(&self, what: &str, condition: impl FnMut(&LocalServer) -> bool) {
        let seen = self.honeyhive.wait_until(PATIENCE, condition).await;
        assert!(
            seen,
            "never: {what}; HoneyHive has {:#?}",
            self.honeyhive.sessions()
        );
    }

    /// Waits until HoneyHive knows how the one session there is has ended.
    pub async fn until_ended(&self) -> LocalSession {
        self.until("a session has ended", |honeyhive| {
            honeyhive.sessions().iter().any(has_ended)
        })
        .await;
        self.only_session().await
    }

    /// Returns the calls that start a session.
    #[must_use]
    pub fn starts(&self) -> Vec<RecordedRequest> {
        starts(&self.honeyhive)
    }

    /// Returns the number of calls that have told HoneyHive how a session ended.
    #[must_use]
    pub fn endings(&self) -> usize {
        let calls = self.honeyhive.requests();
        let bodies = calls.iter().filter_map(|call| call.json.as_ref());
        bodies
            .filter(|body| body["metadata"]["outcome"].is_string())
            .count()
    }

    /// Returns the counters of the delivery, which always add up.
    #[must_use]
    pub fn stats(&self) -> DeliveryStats {
        balanced(&self.tracer)
    }

    /// Takes the server under test down, after what is under way.
    pub async fn close(self) -> (LocalServer, HoneyHiveTracer) {
        self.running.stop().await;
        (self.honeyhive, self.tracer)
    }
}

/// Returns the counters of a tracer's delivery, and asserts `accepted == delivered + pending + dropped`.
#[must_use]
pub fn balanced(tracer: &HoneyHiveTracer) -> DeliveryStats {
    let stats = tracer.stats();
    assert_eq!(
        stats.accepted,
        stats.delivered + stats.pending + stats.dropped.total(),
        "the books do not balance: {stats:?}"
    );
    stats
}

/// Returns the names of a session's spans, sorted.
#[must_use]
pub fn span_names(honeyhive: &LocalServer, id: SessionId) -> Vec<String> {
    let events = honeyhive.events(&id.to_string());
    let mut names: Vec<_> = events.into_iter().map(|event| event.event_name).collect();
    names.sort();
    names
}

/// Returns the calls that start a session.
#[must_use]
pub fn starts(honeyhive: &LocalServer) -> Vec<RecordedRequest> {
    let mut calls = honeyhive.requests();
    calls.retain(|call| call.method == "POST" && call.path == "/v1/sessions");
    calls
}

/// Returns whether HoneyHive knows how a session ended.
#[must_use]
pub fn has_ended(session: &LocalSession) -> bool {
    session.metadata.contains_key("outcome")
}

/// Asserts that a session ended with this status, in this way, and says when.
#[track_caller]
pub fn assert_ended(session: &LocalSession, status: u16, outcome: &str) {
    assert_eq!(session.outputs["status_code"], status, "{session:#?}");
    assert_eq!(session.metadata["outcome"], outcome, "{session:#?}");
    assert!(session.end_time.is_some(), "it has ended: {session:#?}");
    let latency = session.metadata["latency_ms"].as_f64();
    assert!(latency.is_some_and(|ms| ms > 0.0), "{session:#?}");
}

/// Asserts that a session failed, and that its error says so.
#[track_caller]
pub fn assert_error(session: &LocalSession, text: &str) {
    let error = session.metadata.get("error").and_then(Value::as_str);
    assert!(
        error.is_some_and(|error| error.contains(text)),
        "an error that says {text:?}: {session:#?}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_port_of_a_honeyhive_that_is_gone_is_not_free() {
        let gone = local_server().start_blocking().unwrap().address();
        let next = TcpSocket::new_v4().unwrap();
        assert!(next.bind(gone).is_err());
    }
}
