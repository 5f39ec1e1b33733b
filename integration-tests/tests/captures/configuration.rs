//! Keys and the environment configure a tracer. Each row but the keys' runs as a program of its own, in the capture's
//! environment.

use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::TraceContextExt as _;
use honeyhive::{BuildError, Enrichment, HoneyHiveTracer, HoneyHiveTracerBuilder};
use serde_json::json;

use crate::edits::{no_attribute, object};
use crate::hive::{Hive, PATIENCE};
use crate::meaning::Span;
use crate::python::{Because, Bug, Python, Why};

const PROGRAM: Why = Because("a session without a name is called after the program, not its file");

/// Runs a program that makes one span and ends well.
fn one_span(settings: HoneyHiveTracerBuilder) {
    let tracer = settings.build().unwrap();
    drop(tracer.span("op").start());
    tracer.shutdown_blocking(PATIENCE).unwrap();
}

/// Returns the name of this program.
fn program() -> String {
    let path = std::env::current_exe().unwrap();
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

pub(crate) fn an_ingestion_key_beside_the_projects(python: Python) {
    let hive = Hive::for_ingestion();
    let is_child = hive.runs(&python, || {
        let tracer = HoneyHiveTracer::builder()
            .session_name("s")
            .build()
            .unwrap();
        let op = tracer.span("op").start();
        op.in_scope(|| {
            tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
            tracer.create_session("second");
        });
        drop(op);
        tracer.shutdown_blocking(PATIENCE).unwrap();
    });
    if !is_child {
        python.compare(&hive);
    }
}

pub(crate) fn an_ingestion_key_of_the_wrong_shape(python: Python) {
    let hive = Hive::new();
    let is_child = hive.runs(&python, || {
        let error = HoneyHiveTracer::from_env().unwrap_err().to_string();
        assert!(error.contains("HH_INGESTION_API_KEY"), "{error}");
        assert!(!error.contains("hh_ingst_short"), "{error}");
    });
    if !is_child {
        python.compare(&hive);
    }
}

pub(crate) fn an_ingestion_key_alone(python: Python) {
    let hive = Hive::for_ingestion();
    let is_child = hive.runs(&python, || {
        one_span(HoneyHiveTracer::builder().session_name("s"))
    });
    if !is_child {
        python.compare(&hive);
    }
}

pub(crate) fn all_from_the_environment(python: Python) {
    let hive = Hive::new();
    if !hive.runs(&python, || one_span(HoneyHiveTracer::builder())) {
        python
            .but(PROGRAM, |it| {
                it.session("init_env_only").name = Some(program())
            })
            .compare(&hive);
    }
}

pub(crate) fn variables_without_a_prefix(python: Python) {
    let hive = Hive::new();
    if !hive.runs(&python, || {
        one_span(HoneyHiveTracer::builder().project("p"))
    }) {
        python
            .but(Bug(18), |it| {
                let session = it.session("from-bare-env");
                session.name = Some(program());
                session.fields.remove("inputs");
                session.fields.remove("metadata");
            })
            .but(Bug(18), no_attribute("honeyhive_metadata.run_id"))
            .but(Bug(18), no_attribute("honeyhive_metadata.dataset_id"))
            .but(Bug(18), no_attribute("honeyhive_metadata.datapoint_id"))
            .compare(&hive);
        let id = &hive.server.sessions()[0].session_id;
        assert_ne!(id, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "bug 18");
    }
}

pub(crate) fn no_key(python: Python) {
    let hive = Hive::new();
    let is_child = hive.runs(&python, || {
        let error = HoneyHiveTracer::builder()
            .session_name("s")
            .build()
            .unwrap_err();
        assert!(matches!(error, BuildError::MissingApiKey), "{error:?}");
    });
    if !is_child {
        python
            .but(Bug(28), |it| {
                it.keys.clear();
                it.sessions.clear();
            })
            .compare(&hive);
    }
}

pub(crate) fn variables_that_python_ignores(python: Python) {
    let hive = Hive::new();
    if !hive.runs(&python, || {
        one_span(HoneyHiveTracer::builder().session_name("s"))
    }) {
        const EXPERIMENTS: Why = Because("only `evaluate` says something of experiments");
        python
            .but(EXPERIMENTS, no_attribute("honeyhive.experiment_metadata.k"))
            .but(EXPERIMENTS, no_attribute("honeyhive.experiment_metadata.n"))
            .compare(&hive);
    }
}

pub(crate) fn more_variables(python: Python) {
    const NOT_READ: Why =
        Because("HH_MAX_ATTRIBUTES is not read, so that this span keeps them all");
    let hive = Hive::new();
    let is_child = hive.runs(&python, || {
        let tracer = HoneyHiveTracer::builder()
            .session_name("s")
            .build()
            .unwrap();
        drop(tracer.span("a").start());
        drop(tracer.span("noisy.b").start());
        let c = tracer.span("c").start();
        for index in 0..15 {
            let attribute = KeyValue::new(format!("k{index}"), index);
            c.context().span().set_attribute(attribute);
        }
        drop(c);
        tracer.shutdown_blocking(PATIENCE).unwrap();
    });
    if !is_child {
        let tool = |name: &str| Span {
            name: name.to_owned(),
            fields: object(json!({"type": "tool"})),
            ..Span::default()
        };
        python
            .but(Bug(18), |it| {
                it.session("s").fields.remove("metadata");
                it.span("a").attributes.clear();
                it.session("s").spans.push(tool("noisy.b"));
            })
            .but(NOT_READ, |it| {
                let attributes = (0..15).map(|index| (format!("k{index}"), json!(index)));
                it.session("s").spans.push(Span {
                    attributes: attributes.collect(),
                    ..tool("c")
                });
            })
            .compare(&hive);
    }
}

pub(crate) fn the_resource_from_the_environment(python: Python) {
    let hive = Hive::new();
    let is_child = hive.runs(&python, || {
        for (project, name) in [("pa", "a"), ("pb", "b")] {
            let settings = HoneyHiveTracer::builder()
                .project(project)
                .session_name(name);
            let tracer = settings.build().unwrap();
            drop(tracer.span(name).start());
            tracer.shutdown_blocking(PATIENCE).unwrap();
        }
    });
    if !is_child {
        python
            .but(Bug(29), |it| {
                let resource = json!({
                    "service.name": "my-svc",
                    "deployment.environment": "staging",
                    "team": "a",
                });
                it.resources = Some(vec![object(resource)]);
            })
            .compare(&hive);
    }
}
