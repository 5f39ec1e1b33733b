//! The doctor, against a HoneyHive that is well and against each way to be wrong.

use std::net::TcpListener;

use honeyhive::doctor::{Check, CheckOutcome, Diagnosis, SettingOrigin};
use honeyhive::{HoneyHiveTracer, doctor};
use honeyhive_local::{Endpoint, Fault, LocalServer};

const KEY: &str = "hh_the_doctors_secret";
const INGESTION: &str = "hh_ingst_aaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

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
    builder
        .api_timeout(std::time::Duration::from_secs(2))
        .build()
        .unwrap()
}

fn server() -> LocalServer {
    LocalServer::builder()
        .api_key(KEY)
        .start_blocking()
        .unwrap()
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
    for letter in ['a', 'b', 'f', 'g', 'h', 'j', 'k'] {
        let said = answer(letter);
        assert!(
            !said.contains("not seen") && !said.contains("not to be found"),
            "({letter}) {said}"
        );
    }
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

#[test]
fn each_way_to_be_wrong_is_told_where_it_is() {
    use CheckOutcome::Failed;
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let other = LocalServer::builder()
        .api_key("hh_another")
        .start_blocking()
        .unwrap();
    let nowhere = server();
    nowhere.fail(Fault::status(404));
    let failing = server();
    failing.fail(Fault::status(500));
    let silent = server();
    silent.fail(Fault::close());
    for (what, url, name, said) in [
        (
            "no such host",
            "http://no-such-host.invalid".to_owned(),
            "dns",
            "no address",
        ),
        (
            "nobody listens",
            format!("http://{closed}"),
            "tcp",
            "takes no connection",
        ),
        (
            "plain HTTP where TLS is meant",
            format!("https://{}", server().address()),
            "tcp",
            "takes no connection",
        ),
        ("another key", other.url(), "write key", "is refused (401"),
        ("no HoneyHive", nowhere.url(), "write key", "HH_API_URL"),
        ("an outage", failing.url(), "write key", "HoneyHive fails"),
        ("no answer", silent.url(), "http", "no answer"),
    ] {
        let diagnosis = look(&tracer(url), true);
        assert!(!diagnosis.is_healthy(), "{what}: {diagnosis}");
        assert_check(&diagnosis, name, Failed, said);
        assert_eq!(
            diagnosis.session_id, None,
            "{what}: no probe where that is in vain"
        );
    }
    let tls = server();
    let diagnosis = look(&tracer(format!("https://{}", tls.address())), false);
    assert_check(&diagnosis, "tls", Failed, "SSL_CERT_FILE");
}

#[test]
fn an_ingestion_key_alone_writes_and_reads_nothing() {
    let server = LocalServer::builder()
        .api_key(INGESTION)
        .start_blocking()
        .unwrap();
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
