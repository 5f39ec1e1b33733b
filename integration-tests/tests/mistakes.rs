//! Everybody makes some mistakes in the first hour, and a program says something about each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::process::{Command, Stdio};

use honeyhive_local::{LocalServer, UnknownUpdates};
use integration_tests::faults::{Authority, TlsFront};

const KEY: &str = "hh_test_key";

fn honeyhive() -> LocalServer {
    LocalServer::builder()
        .api_key(KEY)
        .unknown_updates(UnknownUpdates::Refuse)
        .start_blocking()
        .unwrap()
}

/// A variable with this value is not set.
const UNSET: &str = "<unset>";

/// Returns the output of a program with a mistake, line by line, and whether it succeeds. `{url}` and `{authority}`
/// stand for HoneyHive's address. Settings of the machine do not reach it, those of its proxies among them.
fn said(mistake: &str, settings: &[(&str, &str)]) -> (bool, Vec<String>) {
    let honeyhive = honeyhive();
    let url = honeyhive.url();
    let url = url.trim_end_matches('/');
    let authority = url.trim_start_matches("http://");
    let mut program = Command::new(env!("CARGO_BIN_EXE_mistakes"));
    let reaches =
        |name: &str| name.starts_with("HH_") || name.to_ascii_uppercase().ends_with("_PROXY");
    for (name, _) in std::env::vars().filter(|(name, _)| reaches(name)) {
        program.env_remove(name);
    }
    program
        .arg(mistake)
        .env("HH_API_KEY", KEY)
        .env("HH_API_URL", url)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null());
    for (name, value) in settings {
        let value = value
            .replace("{url}", url)
            .replace("{authority}", authority);
        if value == UNSET {
            program.env_remove(name);
        } else {
            program.env(name, value);
        }
    }
    let output = program.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let said = said.replace(url, "{url}").replace(authority, "{authority}");
    let lines = said.lines().map(|line| line.trim().to_owned());
    (output.status.success(), lines.collect())
}

/// Returns whether a line is as expected; `…` stands for anything, and `<site>` for a line of the program.
fn is(line: &str, expected: &str) -> bool {
    let expected = expected.replace("<site>", "integration-tests/src/bin/mistakes.rs:…");
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut is_open = false;
    for part in parts {
        is_open = part.is_empty();
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    is_open || rest.is_empty()
}

#[track_caller]
fn compare(mistake: &str, settings: &[(&str, &str)], succeeds: bool, expected: &[&str]) {
    let (success, said) = said(mistake, settings);
    let are_alike = said.len() == expected.len()
        && said
            .iter()
            .zip(expected)
            .all(|(line, expected)| is(line, expected));
    assert!(
        are_alike && success == succeeds,
        "{mistake} {settings:?} (success: {success}) said {said:#?}\nexpected {expected:#?}"
    );
}

/// Asserts that a program goes on, and says this.
#[track_caller]
fn goes_on(mistake: &str, settings: &[(&str, &str)], expected: &[&str]) {
    compare(mistake, settings, true, expected);
}

/// Asserts that a program fails, and says this.
#[track_caller]
fn fails(mistake: &str, settings: &[(&str, &str)], expected: &[&str]) {
    compare(mistake, settings, false, expected);
}

const LOST: &str =
    "WARN honeyhive: at shutdown: … of the items could not be delivered and were dropped";
const NO_SUBSCRIBER: &str =
    "(said here since the program has no `tracing` subscriber; HH_STDERR=false turns this off)";

#[test]
fn a_key_that_is_missing_or_of_the_wrong_shape() {
    let missing = "Error: no HoneyHive key: set HH_API_KEY (or HH_INGESTION_API_KEY), call `.api_key(..)`, or turn on \
                   test mode with HH_TEST_MODE=true or `.test_mode(true)`";
    for nothing in [UNSET, "", "  "] {
        fails("script", &[("HH_API_KEY", nothing)], &[missing]);
    }
    for (key, problem) in [
        (
            "\"hh_key\"",
            "it has quotes in it; write the key alone, without quotes around it",
        ),
        (
            "hh key",
            "it has a blank or a line break in it; write the key alone, on one line",
        ),
    ] {
        let expected = format!("Error: HH_API_KEY is not usable as a key: {problem}");
        fails("script", &[("HH_API_KEY", key)], &[&expected]);
    }
}

#[test]
fn a_key_that_is_missing_keeps_no_server_down() {
    goes_on(
        "server_without_key",
        &[("HH_API_KEY", "")],
        &[
            "ERROR honeyhive: HoneyHive is off, and nothing is recorded: no HoneyHive key: set HH_API_KEY …",
            "200 OK: no session",
        ],
    );
}

/// A server may never end by itself, so it says this when it starts.
#[test]
fn a_server_that_is_off_in_a_program_without_a_subscriber() {
    let off = |why: &str| {
        format!("honeyhive: HoneyHive is off, and nothing is recorded: {why} {NO_SUBSCRIBER}")
    };
    let no_key = ("HH_API_KEY", UNSET);
    let missing = off("no HoneyHive key: set HH_API_KEY …");
    let wrong_url = ("HH_API_URL", "api.honeyhive.ai");
    let no_scheme = off(
        "HH_API_URL is not usable as a server URL: it does not begin with http:// or https://; it should look like …",
    );
    let answer = "200 OK: no session";
    let unheard = ("LOG", "off");
    goes_on(
        "server_without_key",
        &[no_key, unheard],
        &[&missing, answer],
    );
    goes_on(
        "server_without_key",
        &[wrong_url, unheard],
        &[&no_scheme, answer],
    );
    let is_told_nothing = ("HH_STDERR", "false");
    for setting in [no_key, wrong_url] {
        goes_on(
            "server_without_key",
            &[setting, unheard, is_told_nothing],
            &[answer],
        );
    }
    let unreadable = ("HH_STDERR", "maybe");
    let why = off("HH_STDERR has a value that cannot be used: expected true or false");
    goes_on(
        "server_without_key",
        &[unreadable, unheard],
        &[&why, answer],
    );
    let heard = "ERROR honeyhive: HoneyHive is off, and nothing is recorded: no HoneyHive key: set HH_API_KEY …";
    goes_on(
        "disabled_before_the_subscriber",
        &[no_key],
        &[&missing, heard],
    );
    goes_on(
        "disabled_before_the_subscriber",
        &[no_key, is_told_nothing],
        &[heard],
    );
}

/// Spans that go nowhere are not among the items, so that no count of losses tells of them.
#[test]
fn what_goes_nowhere_in_a_program_without_a_subscriber() {
    let unheard = ("LOG", "off");
    let answer = "200 OK: an answer";
    let nowhere = format!(
        "honeyhive: a handler asked for `CurrentSession` outside every HoneyHive layer or middleware, so what it records \
         goes nowhere: put its route inside (…) {NO_SUBSCRIBER}"
    );
    let left_out = format!(
        "honeyhive: a handler asked for `CurrentSession` in a request that the HoneyHive layer leaves out (…), so what it \
         records goes nowhere: `is_recording()` tells the handler {NO_SUBSCRIBER}"
    );
    let nobody = |why: &str| {
        format!(
            "honeyhive: the span \"work\" (<site>) began outside every session, and is not recorded: {why} {NO_SUBSCRIBER}"
        )
    };
    let none_is_meant = nobody("2 tracers are alive, so none is meant: …");
    let none_is_alive = nobody("no tracer is alive any more: …");
    for (mistake, expected) in [
        ("layer_before_routes", vec![answer, nowhere.as_str()]),
        ("left_out_by_the_filter", vec![answer, left_out.as_str()]),
        ("trace_with_two_tracers", vec![none_is_meant.as_str()]),
        ("trace_after_the_tracer", vec![none_is_alive.as_str()]),
    ] {
        goes_on(mistake, &[unheard], &expected);
        let rest: Vec<_> = expected
            .into_iter()
            .filter(|line| *line == answer)
            .collect();
        goes_on(mistake, &[unheard, ("HH_STDERR", "false")], &rest);
    }
}

#[test]
fn a_key_that_is_wrong() {
    let wrong = ("HH_API_KEY", "hh_wrong");
    let refused =
        "ERROR honeyhive: HoneyHive does not accept the key (status 401: …): check HH_API_KEY or …";
    goes_on("script", &[wrong], &[refused, LOST]);
    goes_on("late_subscriber", &[wrong], &[refused, LOST]);
    let without_effect = "WARN honeyhive: set, but without effect in the SDK for Rust: HH_VERBOSE";
    goes_on(
        "late_subscriber",
        &[("HH_VERBOSE", "true")],
        &[without_effect],
    );
    let said_before = "ERROR honeyhive: HoneyHive does not accept the key (status 401: …): check HH_API_KEY or \
        HH_INGESTION_API_KEY, and that HH_API_URL ({url}) is …";
    goes_on("subscriber_after_the_refusal", &[wrong], &[said_before]);
}

#[test]
fn a_key_that_is_wrong_in_a_program_without_a_subscriber() {
    let wrong = ("HH_API_KEY", "hh_wrong");
    let lost = format!(
        "honeyhive: 2 of 2 items were not delivered: HoneyHive d… not accept the key…{NO_SUBSCRIBER}"
    );
    goes_on("script", &[wrong, ("LOG", "off")], &[&lost]);
    goes_on(
        "script",
        &[wrong, ("LOG", "off"), ("HH_STDERR", "false")],
        &[],
    );
}

#[test]
fn an_address_that_is_wrong() {
    fails(
        "script",
        &[("HH_API_URL", "api.honeyhive.ai")],
        &[
            "Error: HH_API_URL is not usable as a server URL: it does not begin with http:// or https://; it should \
           look like https://api.dp1.us.honeyhive.ai",
        ],
    );
    for path in ["/v1", "/v1/", "/v1/sessions"] {
        fails(
            "script",
            &[("HH_API_URL", &format!("{{url}}{path}"))],
            &[
                "Error: HH_API_URL is not usable as a server URL: its path goes on with /v1, which is added to it: \
               leave that out; it should look like https://api.dp1.us.honeyhive.ai",
            ],
        );
    }
    for path in [
        "/opentelemetry",
        "/opentelemetry/v1/traces",
        "/proxy/OpenTelemetry/",
    ] {
        fails(
            "script",
            &[("HH_API_URL", &format!("{{url}}{path}"))],
            &[
                "Error: HH_API_URL is not usable as a server URL: its path goes on with /opentelemetry, which is added to \
                 it: leave that out; it should look like https://api.dp1.us.honeyhive.ai",
            ],
        );
    }
    for page in [
        "https://app.honeyhive.ai",
        "https://app.us.honeyhive.ai/",
        "https://APP.honeyhive.ai:443",
        "https://honeyhive.ai",
        "https://www.honeyhive.ai",
        "https://docs.honeyhive.ai",
    ] {
        fails(
            "script",
            &[("HH_API_URL", page)],
            &[
                "Error: HH_API_URL is not usable as a server URL: it is HoneyHive's web page, and the API is at another \
                 host; it should look like https://api.dp1.us.honeyhive.ai",
            ],
        );
    }
    goes_on(
        "script",
        &[("HH_API_URL", "{url}/elsewhere")],
        &[
            "ERROR honeyhive: HoneyHive has no place for …(status 404: …): check HH_API_URL…",
            LOST,
        ],
    );
}

#[test]
fn an_address_where_nobody_listens() {
    let pending = "WARN honeyhive: at shutdown: … of the items were still pending after 5s, 0 of them on disk";
    goes_on(
        "script",
        &[("HH_API_URL", "http://127.0.0.1:9")],
        &[
            "WARN honeyhive: HoneyHive did not take sessions (POST http://127.0.0.1:9/v1/sessions: … Connection refused \
             …; nobody listens there: check the port in HH_API_URL, at http://127.0.0.1:9); it is tried again, requests \
             are not affected",
            pending,
        ],
    );
    goes_on(
        "script",
        &[("HH_API_URL", "https://{authority}")],
        &[
            "WARN honeyhive: HoneyHive did not take sessions (POST https://{authority}/v1/sessions: …; nobody speaks TLS \
             there: write http:// in HH_API_URL, or the port that does, at https://{authority}); it is tried again, \
             requests are not affected",
            pending,
        ],
    );
}

#[test]
fn a_proxy_that_is_down() {
    for proxy in ["HTTP_PROXY", "ALL_PROXY"] {
        let expected = format!(
            "WARN honeyhive: HoneyHive did not take sessions (POST {{url}}/v1/sessions: …; the proxy of {proxy} may be \
             down: check it, or name the host in NO_PROXY, at {{url}}); it is tried again, requests are not affected"
        );
        let pending = "WARN honeyhive: at shutdown: … of the items were still pending after 5s, 0 of them on disk";
        // The proxy for https has no part in it.
        let settings = [
            (proxy, "http://127.0.0.1:9"),
            ("HTTPS_PROXY", "http://127.0.0.1:8"),
        ];
        goes_on("script", &settings, &[&expected, pending]);
        let not_for_it = [settings[0], ("NO_PROXY", "example.com, 127.0.0.1")];
        goes_on("script", &not_for_it, &[]);
    }
}

#[test]
fn a_proxy_that_is_no_url() {
    for (proxy, text) in [
        ("HTTP_PROXY", "http://127.0.0.1:31 28"),
        ("ALL_PROXY", "ftp://127.0.0.1"),
    ] {
        let expected = format!(
            "WARN honeyhive: {proxy} is no URL of a proxy, so calls go to HoneyHive without one: correct or unset it"
        );
        goes_on("script", &[(proxy, text)], &[&expected]);
        let for_others = ("NO_PROXY", "127.0.0.1");
        goes_on("script", &[(proxy, text), for_others], &[]);
    }
}

#[test]
fn a_certificate_of_an_authority_of_ones_own() {
    let upstream = honeyhive();
    let authority = Authority::new();
    let front = TlsFront::start(upstream.address(), &authority.identity("localhost"));
    let address = format!("https://localhost:{}", front.address().port());
    let expected = format!(
        "WARN honeyhive: HoneyHive did not take sessions (POST {address}/v1/sessions: …; its certificate is not trusted \
         here: …, at {address}); it is tried again, requests are not affected"
    );
    let pending = "WARN honeyhive: at shutdown: … of the items were still pending after 5s, 0 of them on disk";
    goes_on("script", &[("HH_API_URL", &address)], &[&expected, pending]);
    let file = std::env::temp_dir().join(format!("honeyhive-ca-{}.pem", std::process::id()));
    std::fs::write(&file, authority.pem()).unwrap();
    let trusted = ("SSL_CERT_FILE", file.to_str().unwrap());
    goes_on("script", &[("HH_API_URL", &address), trusted], &[]);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_request_that_the_filter_leaves_out() {
    goes_on(
        "left_out_by_the_filter",
        &[],
        &[
            "WARN honeyhive: a handler asked for `CurrentSession` in a request that the HoneyHive layer leaves out \
             (`OPTIONS`, health checks, `.filter(..)`, `.skip(..)`), so what it records goes nowhere: `is_recording()` \
             tells the handler",
            "200 OK: an answer",
        ],
    );
}

#[test]
fn a_tracer_that_nobody_records_with() {
    let nothing = "DEBUG honeyhive: nothing was recorded with this tracer: no session and no span has begun; is a layer \
                   missing, or is it another tracer that is used?";
    goes_on("no_layer", &[], &["200 OK: an answer", "accepted 0"]);
    goes_on(
        "no_layer",
        &[("LOG", "debug")],
        &[
            "DEBUG honeyhive: nothing global is set: …",
            "DEBUG honeyhive: delivers to {url} with a project key, as the source \"dev\"",
            "200 OK: an answer",
            "accepted 0",
            nothing,
        ],
    );
}

#[test]
fn test_mode_that_was_left_on() {
    let test_mode = ("HH_TEST_MODE", "true");
    goes_on("script", &[test_mode], &[]);
    goes_on(
        "script",
        &[test_mode, ("LOG", "debug")],
        &[
            "DEBUG honeyhive: test mode is on, by HH_TEST_MODE or `.test_mode(true)`: what is recorded goes nowhere",
        ],
    );
}

#[test]
fn spans_of_tracing_without_a_layer() {
    goes_on("tracing_without_layer", &[], &["is recorded: false"]);
    let right = ("LAYER", "on");
    goes_on("tracing_without_layer", &[right], &["is recorded: true"]);
}

#[test]
fn a_layer_before_the_routes() {
    goes_on(
        "layer_before_routes",
        &[],
        &[
            "WARN honeyhive: a handler asked for `CurrentSession` outside every HoneyHive layer or middleware, so what it \
             records goes nowhere: put its route inside (in axum, `.layer(HoneyHiveLayer::new(tracer))` comes after the \
             routes)",
            "200 OK: an answer",
        ],
    );
}

/// The program has no mistake, but is asked to say more.
#[test]
fn each_delivery_with_its_count() {
    goes_on(
        "deliveries",
        &[("LOG", "debug")],
        &[
            "DEBUG honeyhive: nothing global is set: …",
            "DEBUG honeyhive: delivers to {url} with a project key, as the source \"dev\"",
            "DEBUG honeyhive: POST {url}/v1/sessions: 1 item, … bytes, status 200 after …",
            "DEBUG honeyhive: POST {url}/opentelemetry/v1/traces: 3 items, … bytes, status 200 after …",
        ],
    );
}

#[test]
fn a_script_without_a_guard() {
    let pending = "the last handle of a tracer was dropped with items pending (…), and nothing waits for their \
                   delivery: keep `let _guard = tracer.shutdown_guard();` in `main`, or call `shutdown`";
    goes_on("no_guard", &[], &[&format!("WARN honeyhive: {pending}")]);
    goes_on(
        "no_guard",
        &[("LOG", "off")],
        &[&format!("honeyhive: {pending} {NO_SUBSCRIBER}")],
    );
}

#[test]
fn a_guard_that_is_dropped_at_once() {
    let late = "the span \"work\" (<site>) came after the tracer was shut down, and is dropped: the guard that was made \
                at <site> is gone; `let _ = tracer.shutdown_guard()` drops it at once: write `let _guard = \
                tracer.shutdown_guard();`";
    goes_on(
        "guard_dropped_at_once",
        &[],
        &[&format!("WARN honeyhive: {late}")],
    );
    let lost = format!("honeyhive: 3 of 3 items were not delivered: {late} {NO_SUBSCRIBER}");
    goes_on("guard_dropped_at_once", &[("LOG", "off")], &[&lost]);
}

#[test]
fn what_is_recorded_after_the_shutdown() {
    let late = |what: &str| {
        format!(
            "WARN honeyhive: {what} came after the tracer was shut down, and is dropped: `shutdown` was called at \
             <site>: record before that"
        )
    };
    goes_on(
        "after_shutdown",
        &[],
        &[
            &late("the span \"work\" (<site>)"),
            &late("what was added to a session (<site>)"),
            &late("the span \"late\" (<site>)"),
            &late("the session \"another\" (<site>)"),
            &late("the session \"a batch\" (<site>)"),
            &late("the session \"a report\" (<site>)"),
            &late("the session \"an import\" (<site>)"),
            &late("what was added to a session (<site>)"),
            &late("the session \"GET /\""),
            "200 OK: an answer",
        ],
    );
    goes_on(
        "span_outlives_guard",
        &[],
        &[
            "WARN honeyhive: the span \"whole program\" ended after the tracer was shut down, and is dropped; the guard \
           that was made at <site> was dropped first: make it before the span, since what is made last is dropped first",
        ],
    );
}

#[test]
fn several_tracers() {
    goes_on(
        "two_layers",
        &[],
        &[
            "WARN honeyhive: a request is in the layers of two tracers, so it becomes a session in each, and the response \
             names that of the inner one: make one tracer when the program starts, and clone it wherever it is needed",
            "200 OK: an answer",
        ],
    );
    let nobody = |span: &str| {
        format!(
            "WARN honeyhive: the span {span:?} (<site>) began outside every session, and is not recorded: 2 tracers are \
             alive, so none is meant: name one with `tracer = …`, begin a session, or choose one with \
             `HoneyHiveTracer::set_default`"
        )
    };
    goes_on(
        "trace_with_two_tracers",
        &[],
        &[&nobody("work"), &nobody("by hand")],
    );
    goes_on(
        "many_tracers",
        &[],
        &[
            "WARN honeyhive: 11 tracers are alive, each with a thread and connections of its own: make one when the \
           program starts, and clone it wherever it is needed",
        ],
    );
}

/// A library may be traced in a program without HoneyHive, so the message is only for those who ask for more.
#[test]
fn a_traced_function_before_there_is_a_tracer() {
    goes_on("trace_before_the_tracer", &[], &[]);
    goes_on(
        "trace_before_the_tracer",
        &[("LOG", "debug")],
        &[
            "DEBUG honeyhive: the span \"work\" (<site>) began before there was a tracer, and is not recorded: make one \
             first, with `HoneyHiveTracer::from_env()` (said once for all such cases)",
        ],
    );
}

#[test]
fn a_traced_function_whose_tracer_is_gone() {
    goes_on(
        "trace_after_the_tracer",
        &[],
        &[
            "WARN honeyhive: the span \"work\" (<site>) began outside every session, and is not recorded: no tracer is \
           alive any more: keep one, or a clone of it, as long as something is recorded",
        ],
    );
}

#[test]
fn an_event_type_that_there_is_none_of() {
    goes_on(
        "wrong_event_type",
        &[],
        &[
            "WARN honeyhive: the event type of the span \"ask\" (<site>) is left out: not a name that is known here: \
           write `model`, `chain` or `tool`",
        ],
    );
    let unknown = "WARN honeyhive: a span has `honeyhive_event_type = \"llm\"`, which is no event type, so it goes by what else \
        is known of it: write `model`, `chain` or `tool` (said once for all such cases)";
    for mistake in [
        "wrong_event_type_in_a_field",
        "wrong_event_type_in_an_attribute",
    ] {
        goes_on(mistake, &[], &[unknown]);
    }
}

#[test]
fn inputs_that_are_no_object() {
    let said = "WARN honeyhive: inputs (<site>) are no object, so they are kept as {\"result\": …}: pass a map, a struct or a \
                `json!` object (said once for all such cases)";
    goes_on("inputs_are_text", &[], &[said]);
    let of_requests = said.replace(" (<site>)", "");
    goes_on(
        "inputs_of_requests_are_text",
        &[],
        &[&of_requests, "200 OK: an answer"],
    );
}

#[test]
fn work_that_has_lost_its_session() {
    let lost = "WARN honeyhive: the span \"work\" (<site>) ended outside every session while sessions were open, so it \
                goes to the tracer's own; was its task, thread or stream started without the session? See \
                `Session::spawn`, `wrap` and `scope_stream`. This is said in debug builds only";
    goes_on("spawn_without_session", &[], &[lost]);
    goes_on("thread_without_session", &[], &[lost]);
    goes_on(
        "enrich_outside",
        &[],
        &[
            "WARN honeyhive: `enrich_session` (<site>) was called outside every session while sessions were open, so it \
           goes to the tracer's own; was its task, thread or stream started without the session? See \
           `Session::spawn`, `wrap` and `scope_stream`. This is said in debug builds only",
        ],
    );
}

#[test]
fn a_session_of_the_tracers_own_in_a_server() {
    goes_on(
        "session_start_in_a_server",
        &[],
        &[
            "WARN honeyhive: `session_start` (<site>) was called again, and takes the place of the tracer's own session \
           for the whole process, whatever runs beside it: a server begins a session a request, by its layer or with \
           `create_session`; other units of work are `with_session`",
        ],
    );
}

#[test]
fn spans_of_the_global_tracer() {
    goes_on(
        "global_tracer",
        &[("LOG", "debug")],
        &[
            "DEBUG honeyhive: nothing global is set: spans of `opentelemetry::global::tracer` come here once the program \
             calls `opentelemetry::global::set_tracer_provider(tracer.provider().clone())`",
            "DEBUG honeyhive: delivers to {url} with a project key, as the source \"dev\"",
            "DEBUG honeyhive: nothing was recorded with this tracer: …",
        ],
    );
}

#[test]
fn an_event_that_honeyhive_does_not_know() {
    goes_on(
        "unknown_event",
        &[],
        &[
            "WARN honeyhive: HoneyHive does not know a session or an event (3f2504e0-4f89-41d3-9a0c-0305e82c3301, at {url}); what was added to it is dropped and counted",
            LOST,
        ],
    );
}

/// The page quotes the messages that are compared here, so every quote is proven.
#[test]
fn the_page_on_troubles_quotes_what_is_said_here() {
    const LEVELS: [&str; 4] = ["Error:", "ERROR", "WARN", "DEBUG"];
    let page = include_str!("../../docs/guide/troubleshooting.md");
    let plain = |text: &str| {
        let words = text.replace(['`', '\\'], "");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let rows = plain(include_str!("mistakes.rs"));
    let lines = page.lines().filter(|line| line.starts_with("| "));
    let quotes = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let mut count = 0;
    for quote in quotes {
        let Some(level) = LEVELS.iter().find(|level| quote.starts_with(**level)) else {
            continue;
        };
        count += 1;
        // The line of the program in the quote is the page's own.
        let parts = quote[level.len()..].split('…').map(plain);
        for part in parts.filter(|part| !part.contains("main.rs:")) {
            assert!(rows.contains(&part), "no row says {part:?}, of {quote}");
        }
    }
    assert!(count > 20, "{count} quotes were read");
}

/// Prints the messages, to write a row: `SHOW=script@HH_API_KEY=wrong,no_guard`.
#[test]
#[ignore = "for those who write a row"]
fn show() {
    for name in std::env::var("SHOW").unwrap_or_default().split(',') {
        let (name, settings) = name.split_once('@').unwrap_or((name, ""));
        let settings: Vec<_> = settings
            .split('@')
            .filter_map(|it| it.split_once('='))
            .collect();
        println!("== {name} {settings:?}\n{:#?}", said(name, &settings));
    }
}
