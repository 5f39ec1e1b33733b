//! HoneyHive is behind TLS and behind a proxy: the tests say who is trusted, and how a program is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::process::Output;
use std::time::Duration;

use honeyhive::{BuildError, HoneyHiveTracer, HoneyHiveTracerBuilder};
use honeyhive_local::LocalServer;
use http::Version;
use integration_tests::faults::table::{
    KEY, assert_arrived, assert_said, builder, record, wait_in_vain,
};
use integration_tests::faults::{
    Auditor, Authority, ConnectProxy, Cut, FaultProxy, Gateway, TlsFront,
};
use integration_tests::harness::PATIENCE;
use integration_tests::harness::local_server;
use integration_tests::log::{self, Turn};
use integration_tests::program::again;
use tracing::Level;

const CHILD: &str = "HH_FAULTS_CHILD";

/// Starts a HoneyHive behind TLS, at `https://localhost`, which answers to this name too.
fn behind_tls(authority: &Authority, host: &str) -> (LocalServer, TlsFront, String) {
    let server = local_server().api_key(KEY).allow_host(host);
    let server = server.start_blocking().unwrap();
    let front = TlsFront::start(server.address(), &authority.identity(host));
    let url = format!("https://localhost:{}", front.address().port());
    (server, front, url)
}

/// Returns the builder of a tracer that trusts an authority. The tracer's lines are in the log of its test's turn, since
/// another test would take them for its own.
fn trusting(_: &Turn, authority: &Authority, url: impl Into<String>) -> HoneyHiveTracerBuilder {
    builder(url).ca_certificate(authority.pem())
}

#[test]
fn an_authority_of_the_programs_own_is_trusted_through_the_builder() {
    let turn = log::turn();
    let authority = Authority::new();
    let (server, _front, url) = behind_tls(&authority, "localhost");
    let another = Authority::new().pem();
    let tracer = trusting(&turn, &authority, url)
        .ca_certificate(format!("{another}\n{}", authority.pem()))
        .build()
        .unwrap();
    assert_delivers(&tracer, &server);
}

/// Asserts that a session arrives at the first try, and that all is accounted for.
#[track_caller]
fn assert_delivers(tracer: &HoneyHiveTracer, server: &LocalServer) {
    let auditor = Auditor::of(tracer);
    let chat = record(tracer);
    tracer.force_flush_blocking(PATIENCE).unwrap();
    assert_arrived(server, &chat);
    assert_eq!(tracer.stats().retried, 0);
    auditor.assert_balanced();
}

#[test]
fn http_2_is_spoken_where_the_server_offers_it() {
    let turn = log::turn();
    let authority = Authority::new();
    let offers: [(&[&str], Version); 3] = [
        (&["h2", "http/1.1"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ];
    for (protocols, expected) in offers {
        let server = local_server().api_key(KEY).start_blocking().unwrap();
        let identity = authority.identity("localhost");
        let gateway = Gateway::start(server.address(), &identity, protocols);
        let url = format!("https://localhost:{}", gateway.address().port());
        let tracer = trusting(&turn, &authority, url).build().unwrap();
        assert_delivers(&tracer, &server);
        let versions = gateway.versions();
        assert!(!versions.is_empty());
        assert!(
            versions.iter().all(|it| *it == expected),
            "{protocols:?}: {versions:?}"
        );
    }
}

/// All calls share one connection of HTTP/2, so one that falls silent must be given up: nothing would be delivered any
/// more.
#[test]
fn a_connection_of_http_2_that_falls_silent_is_replaced() {
    const SESSIONS: usize = 40;
    let turn = log::turn();
    let authority = Authority::new();
    let server = local_server().api_key(KEY).start_blocking().unwrap();
    let gateway = Gateway::start(server.address(), &authority.identity("localhost"), &["h2"]);
    let silent = FaultProxy::start(gateway.address());
    // The silence begins after the handshake and some answers, and before the last of them.
    silent.cut([Cut::HangAfterAnswered(4_000)]);
    let port = silent.url().rsplit_once(':').unwrap().1.to_owned();
    let tracer = trusting(&turn, &authority, format!("https://localhost:{port}"))
        .api_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let auditor = Auditor::of(&tracer);
    for _ in 0..SESSIONS {
        let chat = record(&tracer);
        tracer.force_flush_blocking(PATIENCE).unwrap();
        assert_arrived(&server, &chat);
    }
    assert!(silent.connections() > 1);
    assert!(gateway.versions().iter().all(|it| *it == Version::HTTP_2));
    auditor.assert_balanced();
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let _turn = log::turn();
    let (server, _front, url) = behind_tls(&Authority::new(), "localhost");
    wait_in_vain(&url);
    assert_said(Some((Level::WARN, "certificate")));
    assert!(server.requests().is_empty(), "nothing was said to it");
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    let turn = log::turn();
    let authority = Authority::new();
    let (server, _front, url) = behind_tls(&authority, "honeyhive.example");
    let tracer = trusting(&turn, &authority, url).build().unwrap();
    drop(record(&tracer));
    while tracer.stats().retried == 0 {
        let flushed = tracer.force_flush_blocking(Duration::from_millis(50));
        assert!(flushed.is_err(), "{flushed:?}");
    }
    drop(tracer.shutdown_blocking(Duration::ZERO));
    assert_said(Some((Level::WARN, "certificate")));
    assert!(server.requests().is_empty(), "nothing was said to it");
}

#[test]
fn what_is_no_certificate_is_said_when_the_tracer_is_built() {
    for pem in ["", "/etc/ssl/ca.pem", "-----BEGIN CERTIFICATE-----\n?\n"] {
        let built = builder("https://localhost").ca_certificate(pem).build();
        let error = built.unwrap_err();
        assert!(
            matches!(&error, BuildError::InvalidValue { setting, .. } if setting.contains("ca_certificate")),
            "{pem:?}: {error:?}"
        );
    }
}

/// Runs a program that knows only its environment, where this process is that program.
fn program_in_child() -> bool {
    if std::env::var_os(CHILD).is_none() {
        return false;
    }
    let tracer = HoneyHiveTracer::from_env().unwrap();
    let auditor = Auditor::of(&tracer);
    drop(record(&tracer));
    tracer.shutdown_blocking(PATIENCE).unwrap();
    auditor.assert_balanced();
    true
}

/// Runs this test once more, as a program with this environment.
fn run(test: &str, environment: &[(&str, &str)]) -> Output {
    let mut program = again(module_path!(), test);
    program.env(CHILD, "1");
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        program.env_remove(variable);
        program.env_remove(variable.to_lowercase());
    }
    program
        .env("HH_API_KEY", KEY)
        .envs(environment.iter().copied());
    program.output().unwrap()
}

#[track_caller]
fn assert_success(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

/// A `CaFile` has the authority's certificate, and is gone when dropped.
struct CaFile(std::path::PathBuf);

impl CaFile {
    fn of(authority: &Authority) -> Self {
        let name = format!("honeyhive-ca-{}.pem", uuid::Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn an_authority_of_the_programs_own_is_trusted_through_ssl_cert_file() {
    if program_in_child() {
        return;
    }
    let authority = Authority::new();
    let (server, _front, url) = behind_tls(&authority, "localhost");
    let file = CaFile::of(&authority);
    let test = "an_authority_of_the_programs_own_is_trusted_through_ssl_cert_file";
    let output = run(
        test,
        &[("HH_API_URL", &url), ("SSL_CERT_FILE", file.path())],
    );
    assert_success(&output);
    assert_eq!((server.stats().sessions, server.stats().events), (1, 1));
}

#[test]
fn https_proxy_is_the_way_out_where_there_is_one() {
    if program_in_child() {
        return;
    }
    let authority = Authority::new();
    // No name server knows this host: only the proxy does.
    let (server, front, _) = behind_tls(&authority, "honeyhive.invalid");
    let proxy = ConnectProxy::start(front.address());
    let file = CaFile::of(&authority);
    let output = run(
        "https_proxy_is_the_way_out_where_there_is_one",
        &[
            ("HH_API_URL", "https://honeyhive.invalid"),
            ("HTTPS_PROXY", &proxy.url()),
            ("SSL_CERT_FILE", file.path()),
        ],
    );
    assert_success(&output);
    assert_eq!((server.stats().sessions, server.stats().events), (1, 1));
    let hosts = proxy.asked_for();
    assert!(!hosts.is_empty());
    assert!(
        hosts.iter().all(|host| host == "honeyhive.invalid:443"),
        "{hosts:?}"
    );
}
