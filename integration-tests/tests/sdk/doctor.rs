//! The doctor looks at a HoneyHive that is well, and at each way to be wrong.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on should say so; its program tells what the doctor says"
)]

use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use honeyhive::doctor::{Check, CheckOutcome, Diagnosis, SettingOrigin};
use honeyhive::{
    DropPolicy, HoneyHiveTracer, SessionSampling, SessionTransport, SpanFilter, doctor,
};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use integration_tests::faults::{Authority, ConnectProxy, Identity, RefusingProxy, TlsFront};
use integration_tests::harness::local_server;
use integration_tests::program::again;

const KEY: &str = "hh_the_doctors_secret";
const INGESTION: &str = "hh_ingst_aaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const DATA_PLANE: &str = "hh_fgdp_aaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const CONTROL_PLANE: &str = "hh_fgcp_aaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn look(tracer: &HoneyHiveTracer, probe: bool) -> Diagnosis {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let diagnosis = runtime
        .unwrap()
        .block_on(async { doctor(tracer).probe(probe).await });
    let said = format!("{diagnosis}{}{diagnosis:?}", diagnosis.to_json());
    for secret in [KEY, INGESTION, "doctors_secret"] {
        assert!(!said.contains(secret), "a key is told: {said}");
    }
    diagnosis
}

fn tracer(url: impl Into<String>) -> HoneyHiveTracer {
    let builder = HoneyHiveTracer::builder().api_key(KEY).server_url(url);
    builder.api_timeout(Duration::from_secs(2)).build().unwrap()
}

fn server() -> LocalServer {
    local_server().api_key(KEY).start_blocking().unwrap()
}

#[track_caller]
fn assert_check(diagnosis: &Diagnosis, name: &str, outcome: CheckOutcome, said: &str) {
    let check: Option<&Check> = diagnosis.check(name);
    let is_so = check.is_some_and(|it| it.outcome == outcome && it.detail.contains(said));
    assert!(is_so, "{name} {outcome:?} {said:?}: {diagnosis:#?}");
}

#[test]
fn where_all_is_well_nothing_is_written_unless_a_probe_is_asked_for() {
    let server = server();
    let diagnosis = look(&tracer(server.url()), false);
    assert!(diagnosis.is_healthy(), "{diagnosis}");
    for name in [
        "delivery",
        "proxy",
        "dns",
        "tcp",
        "write key",
        "project key",
        "clock",
    ] {
        assert_check(&diagnosis, name, CheckOutcome::Passed, "");
    }
    assert_eq!((server.sessions().len(), diagnosis.session_id), (0, None));
}

#[test]
fn a_setting_is_told_by_the_name_and_in_the_words_that_set_it() {
    let sampling = SessionSampling::ratio(0.5).keep_slower_than(Duration::from_secs(10));
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url("http://127.0.0.1:1")
        .max_pending_bytes(1 << 20)
        .sampling(sampling)
        .drop_policy(DropPolicy::Oldest)
        .session_transport(SessionTransport::Rest)
        .span_filter(SpanFilter::new().exclude_scope("h2"))
        .build()
        .unwrap();
    let diagnosis = look(&tracer, false);
    for (name, value) in [
        ("HH_OTLP_PROTOCOL", "http/protobuf"),
        ("HH_OTLP_COMPRESSION", "auto"),
        ("HH_DROP_POLICY", "oldest"),
        ("HH_SESSION_SAMPLE_RATE", "0.5, and what fails or takes 10s"),
        ("`.max_pending_bytes(..)`", "1048576"),
        ("`.max_pending_items(..)`", "200000"),
        ("`.session_transport(..)`", "Rest"),
        ("`.span_filter(..)`", "set"),
        ("`.redaction(..)`", "not set"),
    ] {
        let mut settings = diagnosis.settings.iter();
        let found = settings.find(|it| it.name == name).map(|it| &*it.value);
        assert_eq!(found, Some(value), "{name}");
    }
    let by_default = [
        "HH_OTLP_PROTOCOL",
        "`.max_pending_items(..)`",
        "`.redaction(..)`",
    ];
    let by_code = [
        "HH_DROP_POLICY",
        "`.session_transport(..)`",
        "`.span_filter(..)`",
    ];
    for name in by_code.into_iter().chain(by_default) {
        let mut settings = diagnosis.settings.iter();
        let found = settings.find(|it| it.name == name).unwrap();
        let is_default = found.origin == SettingOrigin::Default;
        assert_eq!(is_default, by_default.contains(&name), "{found:?}");
    }
}

#[test]
fn a_probe_arrives_and_its_span_with_it_and_the_questions_are_answered() {
    let server = server();
    let diagnosis = look(&tracer(server.url()), true);
    assert!(diagnosis.is_healthy(), "{diagnosis}");
    assert_check(&diagnosis, "session", CheckOutcome::Passed, "has arrived");
    assert_check(&diagnosis, "span", CheckOutcome::Passed, "in its session");
    let id = diagnosis.session_id.clone().unwrap();
    assert_eq!(server.events(&id).len(), 1);
    let letters: String = diagnosis.answers.iter().map(|it| it.letter).collect();
    assert_eq!(letters, "abcdefghijkl");
    let answer = |letter| {
        let found = diagnosis.answers.iter().find(|it| it.letter == letter);
        found.map_or("", |it| it.answer.as_str())
    };
    assert!(answer('c').contains("no ingestion key"), "{diagnosis}");
    assert!(answer('i').contains("refused with 400"), "{diagnosis}");
    assert!(answer('l').contains("2 rows"), "{diagnosis}");
    assert!(answer('d').contains("metadata is {"), "{diagnosis}");
    assert!(answer('e').contains("131072 bytes"), "{diagnosis}");
    for letter in ['a', 'b', 'd', 'e', 'f', 'g', 'h', 'j', 'k'] {
        let said = answer(letter);
        assert!(
            !said.contains("not seen") && !said.contains("not to be found"),
            "({letter}) {said}"
        );
    }
}

#[test]
fn a_probe_goes_through_whatever_sampling_and_filters_leave_out() {
    let server = server();
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(server.url())
        .sampling(SessionSampling::ratio(0.0))
        .span_filter(SpanFilter::new().include_scope("of.the.program"))
        .build()
        .unwrap();
    let diagnosis = look(&tracer, true);
    assert_check(&diagnosis, "sampling", CheckOutcome::Warned, "is 0");
    assert_check(&diagnosis, "session", CheckOutcome::Passed, "has arrived");
    assert_check(&diagnosis, "span", CheckOutcome::Passed, "in its session");
}

#[test]
fn settings_are_told_with_where_they_come_from() {
    let server = server();
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(server.url());
    let diagnosis = look(&tracer.build().unwrap(), false);
    let found = |name| {
        diagnosis
            .settings
            .iter()
            .find(|it| it.name == name)
            .unwrap()
    };
    let url = found("HH_API_URL");
    assert_eq!(url.value, server.url());
    assert_eq!(url.origin, SettingOrigin::Code("`.server_url(..)`"));
    assert_eq!(found("HH_API_KEY").value, "a project key");
    assert_eq!(found("HH_DROP_POLICY").origin, SettingOrigin::Default);
}

const CHILD: &str = "HH_DOCTOR_CHILD";

/// A `Row` has a check, the environment of a program, and the line that it prints.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// Prints what the doctor finds with the settings of the environment, as `honeyhive-local doctor` does.
fn prints_in_child() -> bool {
    if std::env::var_os(CHILD).is_none() {
        return false;
    }
    match HoneyHiveTracer::from_env() {
        Ok(tracer) => println!("{}", look(&tracer, false)),
        Err(error) => println!("| settings | FAILED | {error} |"),
    }
    true
}

/// Returns the line of one check, of a program with these settings; ports and long times are `#`.
fn line(name: &str, settings: &[(&str, &str)]) -> String {
    const TEST: &str = "each_way_to_be_wrong_is_a_line_that_says_what_to_do";
    let mut program = again(module_path!(), TEST);
    program.args(["--nocapture", "--quiet"]);
    for (variable, _) in std::env::vars() {
        let upper = variable.to_ascii_uppercase();
        let is_ours = upper.starts_with("HH_") || upper.starts_with("HONEYHIVE_");
        if is_ours || upper.ends_with("_PROXY") || upper == "SSL_CERT_FILE" {
            program.env_remove(variable);
        }
    }
    program
        .env(CHILD, "1")
        .env("HH_API_KEY", KEY)
        // A machine that does much else takes its time.
        .env("HH_API_TIMEOUT", "30");
    let output = program.envs(settings.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    for key in [KEY, INGESTION, DATA_PLANE, CONTROL_PLANE] {
        assert!(!said.contains(key), "{said}");
    }
    let begins = format!("| {name} | ");
    let found = said.lines().find(|line| line.starts_with(&begins));
    without_ports(found.unwrap_or_else(|| panic!("no {name}: {said}")))
}

fn without_ports(text: &str) -> String {
    let (mut told, mut digits) = (String::new(), String::new());
    for symbol in text.chars() {
        if symbol.is_ascii_digit() {
            digits.push(symbol);
            continue;
        }
        told.push_str(if digits.len() < 5 { &digits } else { "#" });
        digits.clear();
        told.push(symbol);
    }
    told
}

/// Starts a server that answers everything with one fault.
fn answering(fault: Fault) -> LocalServer {
    let server = server();
    server.fail(fault);
    server
}

/// `Secure` is a HoneyHive behind TLS, with a certificate of this host, and a file with the authority that gave it.
struct Secure {
    _server: LocalServer,
    front: TlsFront,
    authority: PathBuf,
}

impl Secure {
    fn of(identity: impl FnOnce(&Authority) -> Identity) -> Self {
        let server = local_server().api_key(KEY).allow_host("honeyhive.invalid");
        let server = server.start_blocking().unwrap();
        let authority = Authority::new();
        let front = TlsFront::start(server.address(), &identity(&authority));
        let file = format!("honeyhive-doctor-{}.pem", front.address().port());
        let file = std::env::temp_dir().join(file);
        std::fs::write(&file, authority.pem()).unwrap();
        Self {
            _server: server,
            front,
            authority: file,
        }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.front.address().port())
    }

    fn authority(&self) -> (&'static str, &str) {
        ("SSL_CERT_FILE", self.authority.to_str().unwrap())
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.authority);
    }
}

#[test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "a system's errors are told in its own words"
)]
fn each_way_to_be_wrong_is_a_line_that_says_what_to_do() {
    const BEHIND: &str = "https://honeyhive.invalid";
    if prints_in_child() {
        return;
    }
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = format!("http://{closed}");
    let well = server();
    let trusted = Secure::of(|authority| authority.identity("localhost"));
    let other = Secure::of(|authority| authority.identity("honeyhive.invalid"));
    let expired = Secure::of(|authority| authority.expired_identity("localhost"));
    let proxy = ConnectProxy::start(other.front.address());
    let deaf = RefusingProxy::start();
    let another_key = local_server()
        .api_key("hh_another")
        .start_blocking()
        .unwrap();
    let page = answering(
        Fault::status(200)
            .header("content-type", "text/html")
            .body("<html>"),
    );
    let moved = answering(Fault::status(301).header("location", "https://app.example/login?t=1"));
    let no_post = answering(Fault::status(405));
    let busy = answering(Fault::status(429).header("retry-after", "0"));
    let broken = answering(Fault::status(500).body("boom"));
    let nowhere = answering(Fault::status(404));
    let late = answering(Fault::status(400).header("date", "Sun, 06 Nov 1994 08:49:37 GMT"));
    let typed = local_server().api_key(KEY).ingestion_api_key(INGESTION);
    let typed = typed.start_blocking().unwrap();
    let silent = answering(Fault::hang());
    let closes = answering(Fault::close());
    let below = format!("{}/api", well.url());
    let socks = format!("socks5://{}", well.address());
    let to_plain = format!("https://{}", well.address());
    let to_tls = format!("http://{}", trusted.front.address());
    let (proxy, deaf) = (proxy.url(), deaf.url());
    let another_key_url = another_key.url();
    let broken_url = broken.url();
    let busy_url = busy.url();
    let closes_url = closes.url();
    let expired_url = expired.url();
    let late_url = late.url();
    let moved_url = moved.url();
    let no_post_url = no_post.url();
    let nowhere_url = nowhere.url();
    let other_url = other.url();
    let page_url = page.url();
    let silent_url = silent.url();
    let trusted_url = trusted.url();
    let typed_url = typed.url();
    let well_url = well.url();
    let rows: &[Row<'_>] = &[
        // These rows are about the way to the server.
        (
            "dns",
            &[("HH_API_URL", "http://no-such-host.invalid")],
            "FAILED | no-such-host.invalid has no address (failed to lookup address information: Name or service not known): check HH_API_URL, and the resolver of this machine",
        ),
        (
            "tcp",
            &[("HH_API_URL", &nobody)],
            "FAILED | 127.0.0.1:# takes no connection (Connection refused (os error 111)): is the port right, is a firewall between, is the way out a proxy?",
        ),
        (
            "http",
            &[("HH_API_URL", &silent_url), ("HH_API_TIMEOUT", "2")],
            "FAILED | no answer: POST http://127.0.0.1:#/v1/sessions: error sending request: operation timed out; it takes connections and does not answer: is a firewall or a proxy between? HH_API_TIMEOUT is how long an answer may take",
        ),
        (
            "http",
            &[("HH_API_URL", &closes_url)],
            "FAILED | no answer: POST http://127.0.0.1:#/v1/sessions: error sending request: client error (SendRequest): connection closed before message completed; is that a server of HTTP, without TLS?",
        ),
        (
            "tls",
            &[("HH_API_URL", &to_plain)],
            "FAILED | no answer: POST https://127.0.0.1:#/v1/sessions: error sending request: client error (Connect): received corrupt message of type InvalidContentType; nobody speaks TLS there: write http:// in HH_API_URL, or the port that does",
        ),
        (
            "http",
            &[("HH_API_URL", &to_tls)],
            "FAILED | no answer: POST http://127.0.0.1:#/v1/sessions: error sending request: client error (SendRequest): invalid HTTP version parsed; that is no answer of HTTP: is it https:// in HH_API_URL?",
        ),
        (
            "tls",
            &[("HH_API_URL", &trusted_url), trusted.authority()],
            "ok | the certificate's chain is trusted, and is this host's",
        ),
        (
            "tls",
            &[("HH_API_URL", &trusted_url)],
            "FAILED | no answer: POST https://localhost:#/v1/sessions: error sending request: client error (Connect): invalid peer certificate: UnknownIssuer; its certificate is not trusted here: give its authority with `.ca_certificate(..)` or SSL_CERT_FILE",
        ),
        (
            "tls",
            &[("HH_API_URL", &other_url), other.authority()],
            r#"FAILED | no answer: POST https://localhost:#/v1/sessions: error sending request: client error (Connect): invalid peer certificate: certificate not valid for name "localhost"; certificate is only valid for DnsName("honeyhive.invalid"); its certificate is that of another host: check HH_API_URL, and who answers for that name here"#,
        ),
        (
            "tls",
            &[("HH_API_URL", &expired_url), expired.authority()],
            "FAILED | no answer: POST https://localhost:#/v1/sessions: error sending request: client error (Connect): invalid peer certificate: certificate expired: verification time # (UNIX), but certificate is not valid after # (# seconds ago); its certificate is not valid at this time: is the clock of this machine right?",
        ),
        // These rows are about a proxy.
        (
            "proxy",
            &[
                ("HH_API_URL", BEHIND),
                ("HTTPS_PROXY", &proxy),
                other.authority(),
            ],
            "ok | 127.0.0.1:#, from HTTPS_PROXY; dns and tcp below are the proxy's",
        ),
        (
            "write key",
            &[
                ("HH_API_URL", BEHIND),
                ("HTTPS_PROXY", &proxy),
                other.authority(),
            ],
            "ok | the project key is accepted for sessions and spans",
        ),
        (
            "tcp",
            &[("HH_API_URL", BEHIND), ("HTTPS_PROXY", &nobody)],
            "FAILED | 127.0.0.1:# takes no connection (Connection refused (os error 111)): that is the proxy of HTTPS_PROXY: correct or unset it, or name the server's host in NO_PROXY",
        ),
        (
            "proxy",
            &[("HH_API_URL", BEHIND), ("ALL_PROXY", &deaf)],
            "FAILED | no answer: POST https://honeyhive.invalid/v1/sessions: error sending request: client error (Connect): tunnel error: proxy authorization required; the proxy of ALL_PROXY lets nothing through to it: it may want a login in its URL, or forbid that host; NO_PROXY names hosts that are reached without it",
        ),
        (
            "proxy",
            &[
                ("HH_API_URL", "http://honeyhive.invalid"),
                ("HTTP_PROXY", &deaf),
            ],
            "FAILED | it wants a login (407): put name and password into the URL of HTTP_PROXY, or name the server's host in NO_PROXY",
        ),
        (
            "proxy",
            &[("HH_API_URL", BEHIND), ("HTTPS_PROXY", "://")],
            "warning | HTTPS_PROXY is no URL of a proxy, so calls go without one: correct or unset it, or name the server's host in NO_PROXY",
        ),
        (
            "proxy",
            &[("HH_API_URL", &well_url), ("HTTP_PROXY", &socks)],
            "FAILED | no answer: POST http://127.0.0.1:#/v1/sessions: error sending request: client error (Connect): unsupported scheme socks5; the proxy of HTTP_PROXY speaks SOCKS, which the HTTP client is built without: add the crate reqwest with its feature `socks` to the program, or name a proxy of HTTP",
        ),
        (
            "write key",
            &[("HH_API_URL", &well_url), ("HTTP_PROXY", "ftp://proxy")],
            "ok | the project key is accepted for sessions and spans",
        ),
        (
            "proxy",
            &[
                ("HH_API_URL", &well_url),
                ("HTTP_PROXY", &nobody),
                ("NO_PROXY", "127.0.0.0/8"),
            ],
            "ok | none is set for this address",
        ),
        (
            "write key",
            &[
                ("HH_API_URL", &well_url),
                ("HTTP_PROXY", &nobody),
                ("NO_PROXY", "127.0.0.1"),
            ],
            "ok | the project key is accepted for sessions and spans",
        ),
        // These rows are about keys.
        (
            "write key",
            &[("HH_API_URL", &another_key_url)],
            "FAILED | the project key is refused (401: the API key is missing, wrong or of another kind: send `Authorization: Bearer <key>`): is HH_API_KEY of this project and deployment, and still valid?",
        ),
        (
            "project key",
            &[("HH_API_URL", &another_key_url)],
            "warning | HH_API_KEY is refused for reading (401): is HH_API_KEY of this project and deployment, and still valid?",
        ),
        (
            "write key",
            &[("HH_API_URL", &well_url), ("HH_API_KEY", DATA_PLANE)],
            "FAILED | the data plane key is refused (401: the API key is missing, wrong or of another kind: send `Authorization: Bearer <key>`): HH_API_KEY holds a data plane key, which is for HH_DATA_PLANE_API_KEY; write a project key there",
        ),
        (
            "write key",
            &[("HH_API_URL", &typed_url), ("HH_API_KEY", INGESTION)],
            "ok | the ingestion key is accepted for sessions and spans",
        ),
        (
            "project key",
            &[("HH_API_URL", &typed_url), ("HH_API_KEY", INGESTION)],
            "warning | HH_API_KEY is refused for reading (401): it is an ingestion key, which writes and reads nothing",
        ),
        (
            "settings",
            &[("HH_API_KEY", CONTROL_PLANE)],
            "FAILED | HH_API_KEY is not usable as a key: it is a key of the control plane, which nothing here takes; write the key of the project",
        ),
        // These rows are about the server that answers.
        (
            "write key",
            &[("HH_API_URL", &below)],
            "FAILED | there is no `POST /v1/sessions` here (404): is HH_API_URL the address of HoneyHive's data plane, the host alone and without a path?",
        ),
        (
            "write key",
            &[("HH_API_URL", &nowhere_url)],
            "FAILED | there is no `POST /v1/sessions` here (404): is HH_API_URL the address of HoneyHive's data plane, the host alone and without a path?",
        ),
        (
            "write key",
            &[("HH_API_URL", &page_url)],
            "FAILED | no HoneyHive answers, for what is no session is a success to it: is HH_API_URL the address of HoneyHive's data plane, the host alone and without a path?",
        ),
        (
            "write key",
            &[("HH_API_URL", &moved_url)],
            "FAILED | no HoneyHive answers (301: it redirects to https://app.example/login; set HH_API_URL to the address that is meant): is HH_API_URL the address of HoneyHive's data plane, the host alone and without a path?",
        ),
        (
            "write key",
            &[("HH_API_URL", &no_post_url)],
            "FAILED | there is no `POST /v1/sessions` here (405): is HH_API_URL the address of HoneyHive's data plane, the host alone and without a path?",
        ),
        (
            "write key",
            &[("HH_API_URL", &busy_url)],
            "warning | HoneyHive has too many calls of the project key (429): try again later",
        ),
        (
            "write key",
            &[("HH_API_URL", &broken_url)],
            "FAILED | HoneyHive fails (500: boom): try again later",
        ),
        // These rows are about the time.
        (
            "clock",
            &[("HH_API_URL", &well_url)],
            "ok | within 5 s of HoneyHive's",
        ),
        (
            "clock",
            &[("HH_API_URL", &late_url)],
            "warning | this machine is # s ahead of HoneyHive: sessions begin and end at wrong times; is NTP running?",
        ),
    ];
    let lines: Vec<_> = thread::scope(|scope| {
        let begun: Vec<_> = rows
            .iter()
            .map(|(name, settings, _)| scope.spawn(move || line(name, settings)))
            .collect();
        begun.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let expected: Vec<_> = rows
        .iter()
        .map(|(name, _, rest)| format!("| {name} | {rest} |"))
        .collect();
    for (said, expected) in lines.iter().zip(expected) {
        assert_eq!(*said, expected);
    }
}

#[test]
fn an_ingestion_key_alone_writes_and_reads_nothing() {
    let server = local_server().api_key(INGESTION).start_blocking().unwrap();
    let builder = HoneyHiveTracer::builder().ingestion_api_key(INGESTION);
    let tracer = builder.server_url(server.url()).build().unwrap();
    let diagnosis = look(&tracer, true);
    assert!(diagnosis.is_healthy(), "{diagnosis}");
    assert_check(
        &diagnosis,
        "write key",
        CheckOutcome::Passed,
        "ingestion key",
    );
    assert_check(
        &diagnosis,
        "project key",
        CheckOutcome::Skipped,
        "HH_API_KEY is not set",
    );
    assert_check(&diagnosis, "session", CheckOutcome::Skipped, "was taken");
    assert_eq!(server.events(&diagnosis.session_id.unwrap()).len(), 1);
}

#[test]
fn each_kind_of_key_is_told_where_it_is_accepted() {
    let server = local_server()
        .api_key(KEY)
        .ingestion_api_key(INGESTION)
        .data_plane_api_key(DATA_PLANE)
        .start_blocking()
        .unwrap();
    let look_with = |data_plane: &str| {
        let builder = HoneyHiveTracer::builder().api_key(KEY);
        let builder = builder.ingestion_api_key(INGESTION);
        let builder = builder.data_plane_api_key(data_plane);
        look(&builder.server_url(server.url()).build().unwrap(), false)
    };
    let diagnosis = look_with(DATA_PLANE);
    for (name, said) in [
        (
            "write key",
            "the ingestion key is accepted for sessions and spans",
        ),
        (
            "project key",
            "accepted for reading, and for sessions and spans, which go with the ingestion key",
        ),
        ("data plane key", "accepted for routes that name a project"),
    ] {
        assert_check(&diagnosis, name, CheckOutcome::Passed, said);
    }
    assert!(server.sessions().is_empty());
    let another = DATA_PLANE.replace('b', "c");
    let diagnosis = look_with(&another);
    assert_check(
        &diagnosis,
        "data plane key",
        CheckOutcome::Warned,
        "HH_DATA_PLANE_API_KEY is refused (401)",
    );
}

#[test]
fn a_span_that_does_not_arrive_is_told() {
    let server = server();
    server.fail(Fault::status(400).on(Endpoint::Traces));
    let diagnosis = look(&tracer(server.url()), true);
    assert_check(&diagnosis, "session", CheckOutcome::Passed, "has arrived");
    assert_check(
        &diagnosis,
        "span",
        CheckOutcome::Failed,
        "/opentelemetry/v1/traces",
    );
}

#[test]
fn a_tracer_that_sends_nothing_is_told_before_anything_else() {
    let diagnosis = look(&HoneyHiveTracer::disabled(), true);
    assert_check(&diagnosis, "tracer", CheckOutcome::Failed, "disabled");
    let (tracer, _captured) = honeyhive::testing::tracer();
    let diagnosis = look(&tracer, true);
    assert_check(&diagnosis, "tracer", CheckOutcome::Warned, "test mode");
}
