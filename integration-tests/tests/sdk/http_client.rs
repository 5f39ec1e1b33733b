//! A program may have its own HTTP client: the tests say what it is given, that it may block, and that it keeps no
//! time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use bytes::Bytes;
use honeyhive::opentelemetry_http::{HttpClient, HttpError, Request, Response};
use honeyhive::{BuildError, Enrichment, HoneyHiveTracer, HoneyHiveTracerBuilder, StartError};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::runtime::{Handle, Runtime};

/// `Elsewhere` is hyper's client, on a runtime that is not the delivery thread's.
#[derive(Debug, Clone)]
struct Elsewhere {
    runtime: Handle,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Elsewhere {
    fn on(runtime: &Runtime) -> Self {
        Self {
            runtime: runtime.handle().clone(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Elsewhere {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let call = self.runtime.spawn(async move {
            let response = client.request(request.map(Full::new)).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        });
        call.await?
    }
}

#[test]
fn a_client_of_another_runtime_carries_everything() {
    let runtime = Runtime::new().unwrap();
    let server = server();
    let tracer = builder(&server)
        .http_client(Elsewhere::on(&runtime))
        .build()
        .unwrap();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("work").start()));
    flush(&tracer);
    chat.enrich(Enrichment::new().metadata(json!({"later": true})));
    flush(&tracer);
    assert_eq!(session(&server, chat.id()).metadata["later"], json!(true));
    assert_eq!(event(&server, "work").session_id, chat.id().to_string());
    for request in server.requests() {
        assert!(request.authorized, "{request:?}");
        let agent = request.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("honeyhive-rust/"), "{agent}");
    }
}

#[test]
fn a_client_of_the_programs_runtime_may_be_shared_by_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = server();
    let tracer = builder(&server)
        .http_client(Elsewhere::on(&runtime))
        .build()
        .unwrap();
    tracer.create_session("chat");
    // The program's only thread drives the client while it waits.
    runtime.block_on(tracer.force_flush(PATIENCE)).unwrap();
    assert_eq!(calls(&server), [START]);
}

/// A `Blocking` client blocks the thread that calls it until it is told to go on. Each call is announced.
struct Blocking {
    announced: Sender<String>,
    go_on: Mutex<Receiver<()>>,
}

impl fmt::Debug for Blocking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("hh_secret_of_the_client")
    }
}

#[async_trait::async_trait]
impl HttpClient for Blocking {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.announced.send(request.uri().path().to_owned())?;
        self.go_on.lock().unwrap().recv()?;
        Ok(Response::new(Bytes::new()))
    }
}

#[test]
fn a_client_that_blocks_holds_up_nobody_who_waits() {
    let (announced, calls) = channel();
    let (go_on, told) = channel();
    let builder = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url("http://honeyhive.example")
        .api_timeout(Duration::from_millis(50))
        .http_client(Blocking {
            announced,
            go_on: Mutex::new(told),
        });
    assert!(!format!("{builder:?}").contains("hh_secret_of_the_client"));
    let tracer = builder.build().unwrap();
    let started = block_on(tracer.acreate_session("chat"));
    assert!(
        matches!(started, Err(StartError::Unconfirmed { .. })),
        "{started:?}"
    );
    assert_eq!(calls.recv_timeout(PATIENCE).unwrap(), "/v1/sessions");
    // The first call blocks its thread still.
    assert!(
        tracer
            .force_flush_blocking(Duration::from_millis(50))
            .is_err()
    );
    drop(go_on);
    assert!(tracer.shutdown_blocking(Duration::from_millis(50)).is_err());
}

/// An `Endless` client never answers, and reports when it is dropped.
#[derive(Debug)]
struct Endless(Sender<()>);

struct Dropped(Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[async_trait::async_trait]
impl HttpClient for Endless {
    async fn send_bytes(&self, _: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let _dropped = Dropped(self.0.clone());
        std::future::pending().await
    }
}

fn with(client: impl HttpClient + 'static) -> HoneyHiveTracerBuilder {
    HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url("http://honeyhive.example")
        .api_timeout(Duration::from_millis(50))
        .http_client(client)
}

#[test]
fn a_call_that_is_given_up_is_dropped() {
    let (dropped, drops) = channel();
    let tracer = with(Endless(dropped)).build().unwrap();
    assert!(block_on(tracer.acreate_session("chat")).is_err());
    drops.recv_timeout(PATIENCE).unwrap();
}

/// A `Stumbling` client panics at first.
#[derive(Debug, Clone, Default)]
struct Stumbling(Arc<Mutex<u32>>);

#[async_trait::async_trait]
impl HttpClient for Stumbling {
    async fn send_bytes(&self, _: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let calls = {
            let mut calls = self.0.lock().unwrap();
            *calls += 1;
            *calls
        };
        assert!(calls > 1, "a client that stumbles");
        Ok(Response::new(Bytes::new()))
    }
}

#[test]
fn a_client_that_panics_is_asked_again() {
    let client = Stumbling::default();
    let tracer = with(client.clone()).build().unwrap();
    tracer.create_session("chat");
    let report = tracer.force_flush_blocking(PATIENCE).unwrap();
    assert_eq!((report.delivered, report.dropped), (1, 0));
    assert_eq!(*client.0.lock().unwrap(), 2);
}

#[test]
fn a_certificate_beside_a_client_says_whose_it_is() {
    let refused = with(Stumbling::default()).ca_certificate("PEM").build();
    let Err(error @ BuildError::InvalidValue { .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(error.to_string().contains("http_client"), "{error}");
}
