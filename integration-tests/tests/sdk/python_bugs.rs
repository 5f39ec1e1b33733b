//! HoneyHive's Python SDK 1.7.0 has 36 known bugs, and for each there are tests that would catch it here. Bugs that no
//! other file tests are tested below the list.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::*;
use honeyhive::opentelemetry::trace::TraceContextExt as _;
use honeyhive::opentelemetry::{Context, KeyValue};
use honeyhive::{Enrichment, HoneyHiveTracer, NewSession, OtlpProtocol};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use integration_tests::harness::local_server;
use integration_tests::program::again;
use serde_json::{Value, json};

struct Bug {
    number: u8,
    is: &'static str,
    /// A file of [`FILES`] and a function in it.
    caught_by: &'static [(&'static str, &'static str)],
}

const BUGS: &[Bug] = &[
    Bug {
        number: 1,
        is: "spans are sent once: an answer of 429 or 503, or a broken connection, loses the batch",
        caught_by: &[
            (
                "delivery",
                "what_passes_is_tried_again_until_it_is_delivered",
            ),
            (
                "delivery",
                "a_broken_connection_is_tried_again_under_the_same_ids",
            ),
            ("bugs", "bug_1_spans_are_tried_again_in_either_encoding"),
        ],
    },
    Bug {
        number: 2,
        is: "a flush says that all is well though nothing got through",
        caught_by: &[("delivery", "what_is_refused_is_dropped_without_another_try")],
    },
    Bug {
        number: 3,
        is: "a span with more attributes than fit loses its session, and so is lost",
        caught_by: &[
            ("captures/spans", "more_attributes_than_fit"),
            (
                "spans",
                "a_span_that_begins_with_more_attributes_than_fit_keeps_its_session_whoever_made_it",
            ),
        ],
    },
    Bug {
        number: 4,
        is: "links are lost; integers beyond 64 bits make the batch invalid",
        caught_by: &[
            ("captures/spans", "attributes_kinds_links_and_status"),
            ("captures/traced", "arguments_of_every_kind"),
            (
                "spans",
                "numbers_that_the_wire_has_no_room_for_go_as_text_and_those_that_are_none_do_not_go",
            ),
            (
                "spans",
                "both_encodings_arrive_compressed_and_mean_the_same",
            ),
        ],
    },
    Bug {
        number: 5,
        is: "a tracer that is made after another was shut down records nothing",
        caught_by: &[
            ("captures/lifecycle", "a_tracer_after_another"),
            ("runtimes", "a_program_can_begin_again_after_a_shutdown"),
        ],
    },
    Bug {
        number: 6,
        is: "one value that is no JSON loses the whole enrichment, session or argument",
        caught_by: &[
            ("captures/enrichment", "values_that_json_cannot_hold"),
            ("captures/traced", "arguments_of_every_kind"),
        ],
    },
    Bug {
        number: 7,
        is: "an event that is enriched by its id gets no inputs and no error; a session by its id, nothing at all \
             where the tracer has none; a session's inputs are metadata",
        caught_by: &[
            (
                "captures/facts",
                "c63_an_earlier_event_keeps_the_inputs_and_the_error_it_is_given",
            ),
            (
                "captures/facts",
                "c33_another_session_is_enriched_without_one_of_our_own",
            ),
            ("captures/enrichment", "each_field_of_a_session"),
        ],
    },
    Bug {
        number: 8,
        is: "spans without a session are dropped",
        caught_by: &[
            (
                "captures/facts",
                "c10_over_otlp_no_session_is_posted_and_no_span_is_dropped",
            ),
            (
                "spans",
                "spans_outside_every_session_go_to_the_tracers_own_which_is_started_first",
            ),
        ],
    },
    Bug {
        number: 9,
        is: "what a full queue or a shutdown drops is not counted",
        caught_by: &[
            (
                "bounds",
                "what_does_not_fit_by_number_is_dropped_and_there_is_room_again_later",
            ),
            (
                "runtimes",
                "what_comes_after_the_shutdown_is_counted_and_nothing_breaks",
            ),
            (
                "captures/failures",
                "c105_spans_behind_a_call_that_hangs_all_arrive_and_where_there_is_no_room_each_is_counted",
            ),
        ],
    },
    Bug {
        number: 10,
        is: "metadata and user properties of the tracer's session are ignored, and a dotted input crashes",
        caught_by: &[
            (
                "captures/facts",
                "c03_what_a_tracers_session_begins_with_is_all_kept",
            ),
            ("captures/sessions", "inputs_with_dotted_keys"),
        ],
    },
    Bug {
        number: 11,
        is: "a session stays current after its block; one that fails leaves another user's current",
        caught_by: &[
            (
                "captures/facts",
                "c26_a_session_for_a_block_ends_with_the_block",
            ),
            (
                "captures/facts",
                "c106_and_c123_a_session_that_fails_leaves_nobody_elses_current",
            ),
        ],
    },
    Bug {
        number: 12,
        is: "where a session cannot be started an id is made up, spans go to nowhere and nobody is told",
        caught_by: &[
            (
                "sessions",
                "an_awaited_session_that_honeyhive_refuses_says_what_it_said",
            ),
            (
                "delivery",
                "spans_of_a_refused_session_ask_honeyhive_to_create_it",
            ),
            ("captures/web", "several_turns"),
        ],
    },
    Bug {
        number: 13,
        is: "an event by hand goes to the startup session; a session that is started anew is forgotten",
        caught_by: &[
            ("captures/spans", "events_by_hand"),
            ("captures/sessions", "session_start"),
        ],
    },
    Bug {
        number: 14,
        is: "a memory address leaves in the baggage and is honoured when it comes in; the startup session does not",
        caught_by: &[
            (
                "captures/facts",
                "c77_what_leaves_the_process_is_the_session_and_the_span_where_it_is_asked_for",
            ),
            (
                "captures/facts",
                "c76_baggage_of_others_is_no_business_of_a_span",
            ),
        ],
    },
    Bug {
        number: 15,
        is: "`session_id`, `project`, `source` and `run_id` of anybody's baggage are taken for HoneyHive's",
        caught_by: &[
            (
                "captures/facts",
                "c76_baggage_of_others_is_no_business_of_a_span",
            ),
            // HoneyHive's own services send the bare `session_id`, too. It counts where it is a UUID, as all of
            // theirs are, and nowhere else.
            (
                "context",
                "the_session_in_the_baggage_is_joined_the_bare_key_only_as_a_uuid",
            ),
            (
                "rows/baggage",
                "a_bare_session_id_that_is_no_uuid_is_not_ours",
            ),
        ],
    },
    Bug {
        number: 16,
        is: "of two tracers the last one takes what is traced, and each writes on the other's spans",
        caught_by: &[
            ("captures/two_tracers", "side_by_side"),
            ("captures/two_tracers", "a_span_of_the_others"),
            ("macros/recording", "each_tracer_records_its_own"),
            ("spans", "a_tracer_writes_on_no_span_of_another"),
        ],
    },
    Bug {
        number: 17,
        is: "the first tracer takes the process's provider over, so everybody's spans go to HoneyHive",
        caught_by: &[
            ("captures/two_tracers", "side_by_side"),
            (
                "rows/tracers",
                "a_global_provider_of_the_users_own_is_left_alone",
            ),
        ],
    },
    Bug {
        number: 18,
        is: "variables without a prefix (`RUN_ID`, `SESSION_ID`, `INPUTS`) are read",
        caught_by: &[
            ("captures/configuration", "variables_without_a_prefix"),
            ("captures/configuration", "more_variables"),
        ],
    },
    Bug {
        number: 19,
        is: "the program waits for HoneyHive at its start, in enrichments and at spans' ends; a connection a call",
        caught_by: &[
            ("bugs", "bug_19_nothing_waits_for_a_honeyhive_that_hangs"),
            ("bugs", "bug_19_calls_share_their_connections"),
            ("captures/enrichment", "enriching_in_async_code"),
            ("captures/failures", "a_slow_answer_to_a_span"),
        ],
    },
    Bug {
        number: 20,
        is: "a traced function says its type and its name again in its metadata",
        caught_by: &[("captures/traced", "event_types")],
    },
    Bug {
        number: 21,
        is: "a failure is a span of its own and an exception twice, not the error; what was cancelled looks well",
        caught_by: &[
            ("captures/traced", "errors"),
            (
                "macros/futures",
                "a_future_dropped_before_its_end_is_cancelled",
            ),
        ],
    },
    Bug {
        number: 22,
        is: "dates and enums have quotes around them, nothing is the text None, arguments and results differ",
        caught_by: &[
            ("captures/traced", "arguments_of_every_kind"),
            (
                "captures/facts",
                "c43_and_c61_results_and_enrichments_are_flattened_alike",
            ),
        ],
    },
    Bug {
        number: 23,
        is: "a span by hand says every dotted attribute twice, and lists as Python",
        caught_by: &[
            ("captures/spans", "attributes_kinds_links_and_status"),
            ("captures/spans", "with_a_type"),
        ],
    },
    Bug {
        number: 24,
        is: "a traced generator ends before it begins, and its output is its address",
        caught_by: &[
            ("captures/traced", "streams"),
            (
                "macros/streams",
                "the_span_ends_with_the_stream_and_records_the_items",
            ),
        ],
    },
    Bug {
        number: 25,
        is: "a traced function whose error says `Tracer error` runs again",
        caught_by: &[
            ("captures/traced", "an_error_that_names_the_tracer"),
            ("macros/functions", "the_function_runs_exactly_once"),
        ],
    },
    Bug {
        number: 26,
        is: "types are guessed from names, and an explicit `tool` counts as none",
        caught_by: &[
            ("captures/foreign", "names_and_attributes_that_hint"),
            (
                "captures/facts",
                "c73_the_type_is_what_a_span_says_of_its_kind",
            ),
        ],
    },
    Bug {
        number: 27,
        is: "the decorator knows no `config`, and takes every text for a type",
        caught_by: &[
            (
                "captures/facts",
                "c47_a_traced_function_takes_config_metadata_and_inputs",
            ),
            // The macro's list of mistakes has an unknown type.
            ("macros/ui", "mistakes_are_explained"),
        ],
    },
    Bug {
        number: 28,
        is: "without a key `Bearer None` is sent; in test mode sessions and events are",
        caught_by: &[
            ("captures/configuration", "no_key"),
            ("captures/lifecycle", "test_mode"),
            (
                "test_mode",
                "nothing_leaves_the_process_and_everything_else_behaves",
            ),
        ],
    },
    Bug {
        number: 29,
        is: "the service has no name, or another for the second tracer; the scope is a memory address",
        caught_by: &[
            (
                "captures/configuration",
                "the_resource_from_the_environment",
            ),
            ("captures/two_tracers", "side_by_side"),
            ("bugs", "bug_29_the_scope_has_a_name_and_a_version"),
        ],
    },
    Bug {
        number: 30,
        is: "variables of the documentation change nothing",
        caught_by: &[
            (
                "bugs",
                "bug_30_every_variable_of_the_documentation_changes_something",
            ),
            (
                "bugs",
                "bug_30_what_has_no_effect_here_is_named_in_one_warning",
            ),
        ],
    },
    Bug {
        number: 31,
        is: "an experiment sends the author's address and the remote's credentials, and is always `completed`",
        caught_by: &[
            ("captures/experiments", "the_work_tree"),
            (
                "evaluate/git",
                "neither_a_remotes_credentials_nor_an_authors_address_is_in_any_request_or_file",
            ),
            (
                "evaluate/failing",
                "a_run_without_a_success_or_with_too_many_errors_is_failed",
            ),
        ],
    },
    Bug {
        number: 32,
        is: "log lines go to stdout",
        caught_by: &[("bugs", "bug_32_nothing_is_written_to_stdout")],
    },
    Bug {
        number: 33,
        is: "attributes that are named like secrets leave as they are",
        caught_by: &[
            ("captures/foreign", "raw_and_secret_attributes"),
            (
                "bugs",
                "bug_33_secrets_among_arguments_and_events_stay_here",
            ),
        ],
    },
    Bug {
        number: 34,
        is: "an answer of 201, 202 or 204, or one without five fields, is a failure",
        caught_by: &[("delivery", "every_2xx_is_a_success_whatever_its_body")],
    },
    Bug {
        number: 35,
        is: "spans that are filtered out leave children without a parent",
        caught_by: &[
            ("captures/spans", "names_that_are_filtered"),
            (
                "tracing",
                "it_stands_beside_other_layers_each_with_its_own_filter",
            ),
        ],
    },
    Bug {
        number: 36,
        is: "headers count in lower case only, are not decoded and keep properties; spaces leave as plus signs",
        caught_by: &[
            (
                "captures/facts",
                "c95_headers_are_read_in_any_case_decoded_and_without_their_properties",
            ),
            ("captures/baggage", "encoding"),
        ],
    },
];

const FILES: &[(&str, &str)] = &[
    ("bugs", include_str!("python_bugs.rs")),
    ("bounds", include_str!("bounds.rs")),
    ("context", include_str!("context.rs")),
    ("delivery", include_str!("delivery.rs")),
    ("runtimes", include_str!("../core_runtimes.rs")),
    ("sessions", include_str!("sessions.rs")),
    ("spans", include_str!("spans.rs")),
    ("test_mode", include_str!("test_mode.rs")),
    ("tracing", include_str!("tracing.rs")),
    ("captures/baggage", include_str!("../captures/baggage.rs")),
    (
        "captures/configuration",
        include_str!("../captures/configuration.rs"),
    ),
    (
        "captures/enrichment",
        include_str!("../captures/enrichment.rs"),
    ),
    (
        "captures/experiments",
        include_str!("../captures/experiments.rs"),
    ),
    ("captures/facts", include_str!("../captures/facts.rs")),
    ("captures/failures", include_str!("../captures/failures.rs")),
    ("captures/foreign", include_str!("../captures/foreign.rs")),
    (
        "captures/lifecycle",
        include_str!("../captures/lifecycle.rs"),
    ),
    ("captures/sessions", include_str!("../captures/sessions.rs")),
    ("captures/spans", include_str!("../captures/spans.rs")),
    ("captures/traced", include_str!("../captures/traced.rs")),
    (
        "captures/two_tracers",
        include_str!("../captures/two_tracers.rs"),
    ),
    ("captures/web", include_str!("../captures/web.rs")),
    ("evaluate/failing", include_str!("../evaluate/failing.rs")),
    ("evaluate/git", include_str!("../evaluate/git.rs")),
    ("rows/baggage", include_str!("../../src/rows/baggage.rs")),
    ("rows/tracers", include_str!("../../src/rows/tracers.rs")),
    (
        "macros/functions",
        include_str!("../../../crates/honeyhive-macros/tests/it/functions.rs"),
    ),
    (
        "macros/futures",
        include_str!("../../../crates/honeyhive-macros/tests/it/futures.rs"),
    ),
    (
        "macros/recording",
        include_str!("../../../crates/honeyhive-macros/tests/it/recording.rs"),
    ),
    (
        "macros/streams",
        include_str!("../../../crates/honeyhive-macros/tests/it/streams.rs"),
    ),
    (
        "macros/ui",
        include_str!("../../../crates/honeyhive-macros/tests/ui.rs"),
    ),
];

/// Returns the text before the name of a test: its attributes, or the mark of a row.
fn before<'f>(file: &'f str, test: &str) -> Option<&'f str> {
    let mut found = file.match_indices(test);
    found.find_map(|(at, _)| {
        let head = file[..at].strip_suffix("fn ")?;
        let is_whole = file[at + test.len()..].starts_with(['(', '<']);
        let begins = head.rfind("\n\n")?;
        is_whole.then_some(&head[begins..])
    })
}

#[test]
fn every_bug_has_a_test_that_is_there_and_runs() {
    let numbers: Vec<_> = BUGS.iter().map(|bug| bug.number).collect();
    assert_eq!(numbers, (1..=36).collect::<Vec<_>>());
    let files: BTreeMap<_, _> = FILES.iter().copied().collect();
    let mut used = BTreeSet::new();
    for Bug {
        number,
        is,
        caught_by,
    } in BUGS
    {
        assert!(!caught_by.is_empty(), "{number}: {is}");
        for (file, test) in *caught_by {
            let before = before(files[file], test);
            let before = before.unwrap_or_else(|| panic!("{number}: no {test} in {file}"));
            let is_row = before.ends_with("pub(crate) ") || before.ends_with("pub async ");
            assert!(
                is_row || before.contains("test]"),
                "{number}: {test} is no test: {before}"
            );
            assert!(
                !before.contains("#[ignore"),
                "{number}: {test} does not run"
            );
            used.insert(*file);
        }
    }
    assert_eq!(
        used,
        files.into_keys().collect(),
        "a file is named for nothing"
    );
}

#[test]
fn every_row_that_catches_a_bug_is_in_its_table() {
    let captures = include_str!("../captures/main.rs");
    let conformance = include_str!("../../src/table.rs");
    for (file, test) in BUGS.iter().flat_map(|bug| bug.caught_by) {
        let is_listed = match file.split_once('/') {
            Some(("captures", "facts")) => true,
            Some(("captures", "failures")) if test.starts_with("c105_") => true, // no row of a table
            Some(("captures", _)) => captures.contains(&format!(": {test},")),
            Some(("rows", _)) => conformance.contains(&format!(" {test}: ")),
            _ => true,
        };
        assert!(is_listed, "{test} of {file} is in no table");
    }
}

#[test]
fn bug_1_spans_are_tried_again_in_either_encoding() {
    let is_tried_again = |protocol| {
        let server = server();
        server.fail(Fault::status(503).on(Endpoint::Traces).times(1));
        let tracer = builder(&server).otlp_protocol(protocol).build().unwrap();
        drop(tracer.span("work").start());
        flush(&tracer);
        event(&server, "work");
        assert_eq!(tracer.stats().retried, 1, "{protocol:?}");
    };
    thread::scope(|scope| {
        for protocol in PROTOCOLS {
            scope.spawn(move || is_tried_again(protocol));
        }
    });
}

#[test]
fn bug_19_nothing_waits_for_a_honeyhive_that_hangs() {
    let server = server();
    server.fail(Fault::hang());
    // A caller that waited for an answer would never come to the end of this.
    let tracer = builder(&server).api_timeout(NEVER).build().unwrap();
    let session = tracer.session_start(NewSession::default());
    drop(tracer.span("work").start());
    tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
    session.enrich(Enrichment::new().outputs(json!({"a": 1})));
    tracer.create_session("another");
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.status.is_none())
    );
    assert_eq!(tracer.stats().delivered, 0);
}

/// Hands everything through to a server, and counts the connections.
fn counting(server: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for client in listener.incoming() {
            count.fetch_add(1, Ordering::Relaxed);
            let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            for (mut from, mut to) in [(client, server), back] {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    (address, connections)
}

#[test]
fn bug_19_calls_share_their_connections() {
    const ROUNDS: usize = 20;
    let server = server();
    let (proxy, connections) = counting(server.address());
    let tracer = builder(&server)
        .server_url(format!("http://{proxy}"))
        .build()
        .unwrap();
    for _ in 0..ROUNDS {
        tracer
            .create_session("chat")
            .in_scope(|| drop(tracer.span("work").start()));
        flush(&tracer);
    }
    assert_eq!(server.requests().len(), 2 * ROUNDS);
    let connections = connections.load(Ordering::Relaxed);
    assert!(connections < ROUNDS / 2, "{connections} connections");
}

#[test]
fn bug_29_the_scope_has_a_name_and_a_version() {
    let scopes = [(); 2].map(|()| {
        let server = server();
        let settings = builder(&server).otlp_protocol(OtlpProtocol::HttpJson);
        let tracer = settings.build().unwrap();
        drop(tracer.span("work").start());
        flush(&tracer);
        let traces = server
            .requests()
            .into_iter()
            .find(|it| it.path.ends_with("/traces"));
        traces.unwrap().json.unwrap()["resourceSpans"][0]["scopeSpans"][0]["scope"].take()
    });
    for scope in &scopes {
        assert_eq!(scope["name"], "honeyhive");
        assert_eq!(scope["version"], env!("CARGO_PKG_VERSION"));
    }
    assert_eq!(scopes[0], scopes[1]);
}

/// The variable makes a test run its program, in a process of its own.
const CHILD: &str = "PYTHON_BUGS_CHILD";

/// Runs one of these tests again as a program in this environment, and nothing of HoneyHive's but it.
fn program(test: &str, environment: &[(&str, &str)]) -> Output {
    let mut program = again(module_path!(), test);
    program.args(["--nocapture", "--quiet"]);
    for (name, _) in std::env::vars() {
        if name.starts_with("HH_") || name.starts_with("HONEYHIVE_") {
            program.env_remove(name);
        }
    }
    program.envs(environment.iter().copied()).env(CHILD, "1");
    program.output().unwrap()
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Returns the variables of the table of settings.
fn documented() -> BTreeSet<&'static str> {
    let source = include_str!("../../../crates/honeyhive/src/tracer/builder.rs");
    let rows = source.lines().filter(|line| line.starts_with("/// | "));
    let variables = rows.filter_map(|row| row.split('|').nth(2)?.split('`').nth(1));
    variables.filter(|name| name.starts_with("HH_")).collect()
}

/// Only the variable makes a call that hangs end within this time.
const UNDER_THE_DEFAULT_TIMEOUT: Duration = Duration::from_millis(4_900);

#[test]
fn bug_30_every_variable_of_the_documentation_changes_something() {
    const TEST: &str = "bug_30_every_variable_of_the_documentation_changes_something";
    if is_child() {
        let tracer = HoneyHiveTracer::from_env().unwrap();
        drop(tracer.span("work").start());
        if std::env::var_os("HH_API_TIMEOUT").is_some() {
            tracer
                .force_flush_blocking(UNDER_THE_DEFAULT_TIMEOUT)
                .unwrap();
            assert_eq!(tracer.stats().retried, 1);
        }
        tracer.shutdown_blocking(PATIENCE).unwrap();
        return;
    }
    let ingestion = format!("hh_ingst_{}_{}", "a1".repeat(12), "Zz_-".repeat(16));
    let local = |key: &str| {
        let server = local_server().api_key(key);
        server.start_blocking().unwrap()
    };
    let runs = |server: &LocalServer, more: &[(&str, &str)]| {
        let url = server.url();
        let mut environment = vec![("HH_API_KEY", KEY), ("HH_API_URL", url.as_str())];
        environment.extend(more);
        program(TEST, &environment).status.success()
    };
    let seen = |key: &str, more: &[(&str, &str)]| {
        let server = local(key);
        let succeeded = runs(&server, more);
        (server, succeeded)
    };
    let delivered = |more: &[(&str, &str)]| {
        let (server, succeeded) = seen(KEY, more);
        assert!(succeeded, "{more:?}");
        server
    };
    let refused = |more: &[(&str, &str)]| !seen(KEY, more).1;

    let plain = delivered(&[]).sessions().remove(0);
    assert_eq!(
        (plain.project, plain.source.as_deref()),
        (None, Some("dev"))
    );
    let with = |variable, value| delivered(&[(variable, value)]).sessions().remove(0);
    let header_of_traces = |server: &LocalServer, name: &str| {
        let traces = server
            .requests()
            .into_iter()
            .find(|it| it.path.ends_with("/traces"));
        traces.unwrap().header(name).map(str::to_owned)
    };
    let effects = [
        ("HH_API_KEY", refused(&[("HH_API_KEY", "")])),
        ("HH_API_URL", refused(&[("HH_API_URL", "no url")])),
        ("HH_INGESTION_API_KEY", {
            let (server, succeeded) = seen(&ingestion, &[("HH_INGESTION_API_KEY", &ingestion)]);
            succeeded && server.stats().events == 1
        }),
        (
            "HH_DATA_PLANE_API_KEY",
            refused(&[("HH_DATA_PLANE_API_KEY", "of another shape")]),
        ),
        ("HH_PROJECT", {
            let server = delivered(&[("HH_PROJECT", "shop")]);
            let session = server.sessions().remove(0).session_id;
            let events = server.events(&session);
            events
                .iter()
                .all(|it| it.project.as_deref() == Some("shop"))
        }),
        (
            "HH_SOURCE",
            with("HH_SOURCE", "ci").source.as_deref() == Some("ci"),
        ),
        (
            "HH_SESSION_NAME",
            with("HH_SESSION_NAME", "mine").name.as_deref() == Some("mine"),
        ),
        (
            "HH_TEST_MODE",
            delivered(&[("HH_TEST_MODE", "true")]).requests().is_empty(),
        ),
        ("HH_API_TIMEOUT", {
            let server = local(KEY);
            server.fail(Fault::hang().times(1));
            runs(&server, &[("HH_API_TIMEOUT", "0.1")]) && server.stats().events == 1
        }),
        (
            "HH_SESSION_SAMPLE_RATE",
            delivered(&[("HH_SESSION_SAMPLE_RATE", "0")])
                .requests()
                .is_empty(),
        ),
        ("HH_DROP_POLICY", refused(&[("HH_DROP_POLICY", "both")])),
        ("HH_OTLP_PROTOCOL", {
            let json = delivered(&[("HH_OTLP_PROTOCOL", "http/json")]);
            header_of_traces(&json, "content-type").as_deref() == Some("application/json")
        }),
        ("HH_OTLP_COMPRESSION", {
            let [packed, plain] = ["gzip", "none"]
                .map(|value| delivered(&[("HH_OTLP_COMPRESSION", value)]))
                .map(|server| header_of_traces(&server, "content-encoding"));
            (packed.as_deref(), plain) == (Some("gzip"), None)
        }),
        (
            "HH_CAPTURE_CONTENT",
            refused(&[("HH_CAPTURE_CONTENT", "perhaps")]),
        ),
        ("HH_STDERR", refused(&[("HH_STDERR", "perhaps")])),
        ("HH_SPOOL_DIR", {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-bugs-spool");
            delivered(&[("HH_SPOOL_DIR", folder.to_str().unwrap())]);
            std::fs::remove_dir(folder).is_ok() // made, and left without files
        }),
    ];
    for (variable, has_effect) in effects {
        assert!(has_effect, "{variable} changes nothing");
    }
    let tested: BTreeSet<_> = effects.iter().map(|(variable, _)| *variable).collect();
    assert_eq!(tested, documented());
}

#[test]
fn bug_30_what_has_no_effect_here_is_named_in_one_warning() {
    const TEST: &str = "bug_30_what_has_no_effect_here_is_named_in_one_warning";
    const WARNING: &str = "set, but without effect in the SDK for Rust: ";
    if is_child() {
        let log = tracing_subscriber::fmt().with_ansi(false);
        log.with_writer(std::io::stderr).init();
        for _ in 0..2 {
            HoneyHiveTracer::from_env().unwrap();
        }
        return;
    }
    let warnings = |more: &[(&str, &str)]| {
        let mut environment = vec![("HH_TEST_MODE", "true"), ("HH_SOURCE", "ci")];
        environment.extend(more);
        let output = program(TEST, &environment);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        let lines = log.lines().filter_map(|line| line.split_once(WARNING));
        lines.map(|(_, names)| names.to_owned()).collect::<Vec<_>>()
    };
    let ineffective = [("HH_OTLP_ENDPOINT", "http://x"), ("HH_BATCH_SIZE", "7")];
    assert_eq!(warnings(&ineffective), ["HH_BATCH_SIZE, HH_OTLP_ENDPOINT"]);
    assert!(warnings(&[]).is_empty());
}

#[test]
fn bug_32_nothing_is_written_to_stdout() {
    const TEST: &str = "bug_32_nothing_is_written_to_stdout";
    const MARKS: [&str; 2] = ["<the program begins>", "<the program ends>"];
    let mark = |text: &str| std::io::stdout().write_all(text.as_bytes()).unwrap();
    if is_child() {
        mark(MARKS[0]);
        let tracer = HoneyHiveTracer::from_env().unwrap();
        tracer.session_start(NewSession::named("s").inputs("no object"));
        drop(tracer.span("work").start());
        let flushed = tracer.force_flush_blocking(PATIENCE);
        assert!(
            flushed.is_err(),
            "the key is refused, which is worth a line in a log"
        );
        drop(tracer.shutdown_blocking(PATIENCE));
        mark(MARKS[1]);
        return;
    }
    let server = server();
    let (url, wrong) = (server.url(), "hh_wrong");
    let output = program(TEST, &[("HH_API_KEY", wrong), ("HH_API_URL", &url)]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains(&MARKS.concat()), "{stdout}");
}

#[test]
fn bug_33_secrets_among_arguments_and_events_stay_here() {
    #[honeyhive::trace(tracer = tracer, skip(tracer))]
    fn log_in(tracer: &HoneyHiveTracer, user: &str, password: &str, options: &Value) {
        Context::map_current(|cx| {
            let header = KeyValue::new("http.request.header.authorization", "Bearer sk-2");
            cx.span().add_event("called", vec![header]);
        });
    }

    let (server, tracer) = connected();
    let options = json!({"apiKey": "sk-1", "max_tokens": 7});
    log_in(&tracer, "ada", "hunter2", &options);
    flush(&tracer);
    let event = event(&server, "log_in");
    assert_eq!(
        Value::Object(event.inputs),
        json!({
            "user": "ada",
            "password": "<redacted>",
            "options": {"apiKey": "<redacted>", "max_tokens": 7},
        })
    );
    let called = &event.span_events[0].attributes;
    assert_eq!(called["http.request.header.authorization"], "<redacted>");
}
