//! The telemetry of the examples goes to HoneyHive, or without a key to one inside the process.

use std::time::Duration;
use std::{env, fmt};

use honeyhive::{
    BuildError, DeliveryStats, FlushError, FlushReport, HoneyHiveTracer, HoneyHiveTracerBuilder,
};
use honeyhive_local::{LocalServer, StartError};

/// The last delivery takes at most this long.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// The program `honeyhive-local` has this port, too.
const LOCAL_PORT: u16 = 7777;

/// `Telemetry` has the tracer, and the HoneyHive that it talks to where that is inside.
#[derive(Debug)]
pub struct Telemetry {
    tracer: HoneyHiveTracer,
    local: Option<LocalServer>,
}

/// The variable names a file in which the HoneyHive inside keeps everything.
const DATA: &str = "HONEYHIVE_LOCAL_DATA";

/// The error says why the telemetry has no place to go.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The tracer cannot be made.
    #[error(transparent)]
    Tracer(#[from] BuildError),
    /// The HoneyHive inside cannot be started.
    #[error("the local HoneyHive: {0}")]
    Local(#[from] StartError),
}

impl Telemetry {
    /// Starts a tracer as the `HH_…` variables say; without a key, one with a HoneyHive of its own.
    ///
    /// # Errors
    ///
    /// Where a variable is not usable, or the HoneyHive inside cannot be started.
    pub fn start() -> Result<Self, TelemetryError> {
        Self::start_with(HoneyHiveTracer::builder())
    }

    /// Starts the telemetry, as [`start`](Self::start) does, where the program has settings of its own.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_with(settings: HoneyHiveTracerBuilder) -> Result<Self, TelemetryError> {
        match settings.clone().build() {
            Ok(tracer) => Ok(Self {
                tracer,
                local: None,
            }),
            Err(BuildError::MissingApiKey) => Self::start_local(settings),
            Err(error) => Err(error.into()),
        }
    }

    /// Starts the telemetry of a server, as [`start`](Self::start) does, but an unusable setting does not keep the
    /// server down: its tracer then records nothing, and the log says why.
    ///
    /// # Errors
    ///
    /// Where the HoneyHive inside cannot be started.
    pub async fn of_server() -> Result<Self, TelemetryError> {
        let settings = HoneyHiveTracer::builder();
        let tracer = match settings.clone().build() {
            Ok(tracer) => tracer,
            Err(BuildError::MissingApiKey) => {
                let local = match LocalServer::builder().port(LOCAL_PORT).start().await {
                    Err(StartError::Bind { .. }) => LocalServer::builder().start().await?,
                    other => other?,
                };
                return Self::with_local(settings, local);
            }
            Err(_) => settings.build_or_disabled(),
        };
        Ok(Self {
            tracer,
            local: None,
        })
    }

    /// Returns the losses of a delivery, as a line for the user of a program.
    #[must_use]
    pub fn loss(&self, delivery: Result<FlushReport, FlushError>) -> Option<String> {
        let lost = lost(&self.tracer.stats())?;
        let reason = delivery
            .err()
            .map_or_else(String::new, |e| format!(": {e}"));
        Some(format!("{lost}{reason}"))
    }

    fn with_local(
        settings: HoneyHiveTracerBuilder,
        local: LocalServer,
    ) -> Result<Self, TelemetryError> {
        let tracer = settings.api_key("local").server_url(local.url()).build()?;
        Ok(Self {
            tracer,
            local: Some(local),
        })
    }

    fn start_local(settings: HoneyHiveTracerBuilder) -> Result<Self, TelemetryError> {
        Self::with_local(settings, local_server()?)
    }

    /// Returns the tracer.
    #[must_use]
    pub fn tracer(&self) -> HoneyHiveTracer {
        self.tracer.clone()
    }

    /// Delivers what was recorded, 5 seconds at the most, and says so where something was lost.
    ///
    /// It blocks, and belongs after the end of the runtime: by then all work has ended.
    #[must_use = "what was lost should be said"]
    pub fn shut_down(&self) -> Option<String> {
        self.loss(self.tracer.shutdown_blocking(SHUTDOWN_LIMIT))
    }

    /// Returns the contents of the HoneyHive inside, for programs that end before anybody can look: a session and its
    /// events, then the session that began next. The text is empty where the telemetry went to HoneyHive itself.
    #[must_use]
    pub fn trees(&self) -> String {
        let Some(local) = &self.local else {
            return String::new();
        };
        let mut sessions = local.sessions();
        sessions.sort_by(|a, b| a.start_time.total_cmp(&b.start_time));
        let trees = sessions
            .iter()
            .map(|session| local.tree(&session.session_id));
        trees.collect()
    }
}

/// Tells where the recordings can be seen.
impl fmt::Display for Telemetry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.local {
            Some(local) => write!(
                formatter,
                "no HH_API_KEY, so a local HoneyHive runs inside: {}/",
                local.url()
            ),
            None => formatter.write_str("sessions go where the HH_ variables say"),
        }
    }
}

/// Starts the server on the usual port where that is free; in memory, or in the file that `HONEYHIVE_LOCAL_DATA` names.
fn local_server() -> Result<LocalServer, StartError> {
    let mut builder = LocalServer::builder();
    if let Some(file) = env::var_os(DATA).filter(|file| !file.is_empty()) {
        builder = builder.persist(file);
    }
    let usual = builder.clone().port(LOCAL_PORT).start_blocking();
    match usual {
        Err(StartError::Bind { .. }) => builder.start_blocking(),
        other => other,
    }
}

fn lost(stats: &DeliveryStats) -> Option<String> {
    let lost = stats.dropped.total() + stats.pending;
    let accepted = stats.accepted;
    (lost > 0).then(|| format!("{lost} of {accepted} recorded items did not reach HoneyHive"))
}
