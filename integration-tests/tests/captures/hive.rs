//! A HoneyHive runs in the process, and tracers send to it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use honeyhive::{HoneyHiveTracer, HoneyHiveTracerBuilder, NewSession, SessionId};
use honeyhive_local::LocalServer;

use crate::meaning::Meaning;
use crate::python::Python;
use integration_tests::harness::local_server;

pub(crate) use integration_tests::harness::PATIENCE;

/// No test outlives this coalescing window.
const NEVER: Duration = Duration::from_secs(3_600);

/// The variable holds the server's address, for the child process of a test.
const CHILD: &str = "CAPTURES_CHILD";

pub(crate) struct Hive {
    pub(crate) server: LocalServer,
    key: &'static str,
    /// The key's name in a capture.
    label: &'static str,
    tracers: RefCell<Vec<HoneyHiveTracer>>,
    known: RefCell<BTreeSet<String>>,
}

/// The key is of the typed kind, in the right shape.
pub(crate) const INGESTION_KEY: &str = "hh_ingst_a1a1a1a1a1a1a1a1a1a1a1a1_ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ";

impl Hive {
    pub(crate) fn new() -> Self {
        Self::with_key("hh_test_key", "<project-key>")
    }

    /// Starts a HoneyHive that takes the ingestion key and no other.
    pub(crate) fn for_ingestion() -> Self {
        Self::with_key(INGESTION_KEY, "<ingestion-key>")
    }

    fn with_key(key: &'static str, label: &'static str) -> Self {
        let server = local_server().api_key(key).start_blocking();
        Self {
            server: server.expect("a local server"),
            key,
            label,
            tracers: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// Returns the settings of a tracer that sends here; sessions are held back until they are asked for.
    pub(crate) fn builder(&self) -> HoneyHiveTracerBuilder {
        HoneyHiveTracer::builder()
            .api_key(self.key)
            .server_url(self.server.url())
            .source("dev")
            .coalesce_window(NEVER)
    }

    /// Makes a tracer as `HoneyHiveTracer.init(project="p", session_name=…)` does.
    pub(crate) fn tracer(&self, session_name: &str) -> HoneyHiveTracer {
        self.init(self.builder().project("p").session_name(session_name))
    }

    /// Makes a tracer as `HoneyHiveTracer.init(session_name=…)` does.
    pub(crate) fn tracer_without_project(&self, session_name: &str) -> HoneyHiveTracer {
        self.init(self.builder().session_name(session_name))
    }

    pub(crate) fn init(&self, builder: HoneyHiveTracerBuilder) -> HoneyHiveTracer {
        let tracer = builder.build().expect("a tracer");
        self.tracers.borrow_mut().push(tracer.clone());
        tracer
    }

    /// Begins a session as another service does.
    pub(crate) fn knows(&self, id: impl Into<SessionId>) {
        let theirs = self.builder().build().expect("a tracer");
        let session = theirs.create_session(NewSession::named("theirs").id(id));
        theirs.shutdown_blocking(PATIENCE).expect("all of it");
        self.known.borrow_mut().insert(session.id().to_string());
    }

    /// Returns everything that was sent, after a flush of every tracer.
    #[track_caller]
    pub(crate) fn received(&self) -> Meaning {
        for tracer in &*self.tracers.borrow() {
            match tracer.force_flush_blocking(PATIENCE) {
                Ok(_) | Err(honeyhive::FlushError::ShutDown) => {}
                Err(error) => panic!("{error}: {:?}", tracer.stats()),
            }
        }
        Meaning::received(&self.server, self.label, &self.known.borrow())
    }

    /// Runs a program in a process of its own, in the environment of the capture.
    pub(crate) fn runs(&self, python: &Python, program: impl FnOnce()) -> bool {
        if is_child() {
            program();
            return true;
        }
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", python.test, "--nocapture", "--quiet"]);
        for (name, _) in std::env::vars() {
            if ["HH_", "HONEYHIVE_", "OTEL_"]
                .iter()
                .any(|start| name.starts_with(start))
            {
                child.env_remove(name);
            }
        }
        child.envs(python.environment());
        child.env(CHILD, "1").env("HH_API_URL", self.server.url());
        for (variable, placeholder) in python.keys() {
            let key = if placeholder == self.label {
                self.key
            } else {
                "hh_another_key"
            };
            child.env(variable, key);
        }
        let output = child.output().expect("the program starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("1 passed"),
            "{} was not found",
            python.test
        );
        false
    }
}

/// Returns whether this is the program that a test has started.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}
