//! Requests have any bytes in their ids: a session comes out and nothing else happens.
//!
//! Each property is tried for a moment; `HH_FUZZ_SECONDS=3600 cargo test -p integration-tests --test sdk ids::`
//! tries each for an hour.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use honeyhive::http::{Headers, RequestInfo, ServerInstrumentation};
use honeyhive::opentelemetry::Context;
use honeyhive::opentelemetry::baggage::{BaggageExt as _, KeyValueMetadata};
use honeyhive::opentelemetry::propagation::TextMapPropagator as _;
use honeyhive::opentelemetry_sdk::propagation::BaggagePropagator;
use honeyhive::{HoneyHiveTracer, Moved, NewSession, Session, SessionId};
use integration_tests::fuzz::holds;
use integration_tests::harness::PATIENCE;
use proptest::prelude::*;

/// `Anything` has the headers of a request, whatever an HTTP server would say to them.
#[derive(Debug, Clone)]
struct Anything(Vec<(&'static str, Vec<u8>)>);

impl Headers for Anything {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in &self.0 {
            visit(name, value);
        }
    }
}

impl Anything {
    fn all(&self, wanted: &str) -> Vec<&[u8]> {
        let values = self.0.iter().filter(|(name, _)| *name == wanted);
        values.map(|(_, value)| value.as_slice()).collect()
    }
}

const NAMES: [&str; 4] = ["x-session-id", "baggage", "traceparent", "x-user-id"];
const NOTHING: [&str; 22] = [
    "",
    " ",
    "undefined",
    "null",
    "None",
    "NIL",
    "NaN",
    "[object Object]",
    "\"\"",
    "(null)",
    "false",
    "N/A",
    "unknown",
    "{{conversation_id}}",
    "{id}",
    "<session_id>",
    ":id",
    "undefined-undefined",
    "00000000000000000000000000000000",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
];

fn uuid() -> impl Strategy<Value = String> {
    any::<u128>().prop_map(|bits| SessionId::from_u128(bits).to_string())
}

/// Generates a text that may name a session.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => uuid(),
        1 => uuid().prop_map(|id| id.to_uppercase()),
        2 => proptest::sample::select(&NOTHING).prop_map(str::to_owned),
        2 => "[ -~]{0,40}",
        1 => "\\PC{0,12}",
        1 => "[ -~]{250,260}",
        1 => "[a\u{0}\n\u{7f}\u{85}\u{200b}]{1,4}",
    ]
}

fn member() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        2 => Just("honeyhive.session_id".to_owned()),
        2 => Just("session_id".to_owned()),
        1 => "[ -~]{0,12}",
    ];
    let value = prop_oneof![2 => id(), 1 => "(%[0-9a-fA-F]{0,2}|[a-z]){0,12}"];
    (key, value, "(;[ -~]{0,8})?").prop_map(|(key, value, more)| format!("{key}={value}{more}"))
}

fn baggage_line() -> impl Strategy<Value = String> {
    proptest::collection::vec(member(), 0..6).prop_map(|members| members.join(","))
}

fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let anything = prop_oneof![
        2 => proptest::collection::vec(any::<u8>(), 0..400),
        3 => id().prop_map(String::into_bytes),
        2 => baggage_line().prop_map(String::into_bytes),
    ];
    prop_oneof![
        3 => (proptest::sample::select(&NAMES), anything),
        1 => baggage_line().prop_map(|line| ("baggage", line.into_bytes())),
    ]
}

/// These marks stand around a name that nobody has filled in.
const TEMPLATES: [(&str, &str); 5] = [("{", "}"), ("<", ">"), ("$", ""), (":", ""), ("%(", ")s")];

fn says_something(text: &str) -> bool {
    let nothing = [
        "undefined",
        "null",
        "none",
        "nil",
        "nan",
        "false",
        "true",
        "n/a",
        "unknown",
        "optional(nil",
    ];
    let lower = text.to_ascii_lowercase();
    let core = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = core.rsplit(':').next().unwrap_or(core).replace('-', "");
    let is_no_uuid = ["0", "f"].iter().any(|digit| digits == digit.repeat(32));
    let around = lower.trim();
    let is_template = (around.ends_with('}')
        && ["{{", "${"].iter().any(|it| around.starts_with(it)))
        || around == "%s"
        || TEMPLATES.iter().any(|(before, behind)| {
            let name = around.strip_prefix(before);
            let name = name.and_then(|it| it.strip_suffix(behind));
            name.is_some_and(|it| {
                !it.is_empty() && it.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            })
        });
    let is_object = core
        .strip_prefix("object ")
        .is_some_and(|class| class.chars().all(|c| c.is_ascii_alphabetic()));
    let mut words = core.split(|c: char| !c.is_alphanumeric());
    let is_made_of_nothing = words.all(|word| word.is_empty() || nothing.contains(&word));
    let is_unusable = text.len() > 256 || text.chars().any(char::is_control);
    let is_nothing = core.is_empty() || nothing.contains(&core) || is_object || is_made_of_nothing;
    !(is_nothing || is_no_uuid || is_template || is_unusable)
}

/// Returns the session that a single text stands for, as it comes from outside.
fn taken(text: &str) -> Option<SessionId> {
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (is_plain && says_something(text)).then(|| SessionId::from_correlation_id(text))
}

/// Returns the id of a header that must not come twice, by the table.
fn named(values: &[&[u8]]) -> Option<SessionId> {
    let [value] = values else { return None };
    taken(std::str::from_utf8(value).ok()?.trim())
}

fn tracer() -> HoneyHiveTracer {
    HoneyHiveTracer::builder().test_mode(true).build().unwrap()
}

#[test]
fn any_bytes_in_the_headers_are_a_session_or_nothing() {
    let tracer = tracer();
    let server = ServerInstrumentation::builder(tracer.clone()).filter(|_| true);
    let server = server.build().unwrap();
    let headers = proptest::collection::vec(header(), 0..6).prop_map(Anything);
    let request = (headers, "[A-Z]{1,12}", "/[ -~]{0,80}");
    holds(&request, |(headers, method, path)| {
        let open = |headers: &Anything| {
            let before = tracer.stats().ignored_session_ids;
            let guard = server.on_request(&RequestInfo::new(&method, &path, headers));
            let ignored = tracer.stats().ignored_session_ids - before;
            (guard.response_id(), ignored)
        };
        let (id, ignored) = open(&headers);
        prop_assert!(id.is_some(), "every request has a session");
        let values = headers.all("x-session-id");
        match named(&values) {
            Some(wanted) => prop_assert_eq!((id, ignored), (Some(wanted), 0)),
            None if values.is_empty() => {}
            None => {
                let mut others = headers.0.clone();
                others.retain(|(name, _)| *name != "x-session-id");
                // The header counts, and the rest of the request as if it were absent.
                prop_assert_eq!(ignored, 1 + open(&Anything(others)).1);
            }
        }
        Ok(())
    });
}

/// A server and a consumer of messages find the same session in the same baggage, or none.
#[test]
fn any_baggage_names_the_same_session_to_whoever_reads_it() {
    let tracer = tracer();
    let server = ServerInstrumentation::new(tracer.clone());
    let lines = proptest::collection::vec(baggage_line(), 0..4);
    holds(&lines, |lines| {
        let headers = lines
            .iter()
            .map(|line| ("baggage", line.clone().into_bytes()));
        let headers = Anything(headers.collect());
        let guard = server.on_request(&RequestInfo::new("GET", "/", &headers));
        let at_server = guard.response_id();
        drop(guard);
        let _attached = tracer
            .extract(headers.0.iter().map(|(name, value)| (name, value)))
            .attach();
        if let Some(message) = Session::current() {
            prop_assert_eq!(at_server, Some(message.id()));
        }
        for line in &lines {
            for unusable in NOTHING {
                let mapped = SessionId::from_correlation_id(unusable);
                prop_assert_ne!(at_server, Some(mapped), "{}", line);
            }
        }
        Ok(())
    });
}

/// The baggage that leaves the process stays within the limits of W3C, names the session first, and others' members
/// arrive whole.
#[test]
fn any_baggage_goes_on_behind_the_session() {
    let tracer = tracer();
    let members = proptest::collection::btree_map(
        "[a-z0-9!#$&'*+.^_`|~-]{1,20}",
        (
            "\\PC{0,40}|[ -~]{0,200}",
            "([a-z]{1,4}(=[ -~&&[^;,]]{0,8})?)?",
        ),
        0..70,
    );
    holds(&members, |members: BTreeMap<String, (String, String)>| {
        let baggage = members.iter().map(|(key, (value, properties))| {
            KeyValueMetadata::new(key.clone(), value.clone(), properties.as_str())
        });
        let cx = Context::new().with_baggage(baggage.collect::<Vec<_>>());
        let session = tracer.create_session("chat");
        let mut headers = HashMap::new();
        {
            let _attached = cx.clone().attach();
            session.inject(&mut headers);
        }
        let sent = &headers["baggage"];
        let ours = format!("honeyhive.session_id={0},session_id={0}", session.id());
        prop_assert!(sent.starts_with(&ours), "{}", sent);
        prop_assert!(sent.len() <= 8192 && sent.split(',').count() <= 64);
        prop_assert!(
            sent.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{}",
            sent
        );

        let received = BaggagePropagator::new().extract(&headers);
        let (before, after) = (cx.baggage(), received.baggage());
        let arrived = after.len();
        prop_assert!(arrived == before.len() + 2 || arrived == 64 || sent.len() > 7_500);
        for (key, (value, properties)) in after {
            if let Some((was, with)) = before.get_with_metadata(key) {
                prop_assert_eq!(was.as_str().trim(), value.as_str());
                prop_assert_eq!(with.as_str().trim(), properties.as_str().trim());
            }
        }
        let _attached = tracer.extract(&headers).attach();
        prop_assert_eq!(Session::current().map(|it| it.id()), Some(session.id()));
        Ok(())
    });
}

/// A text that a program gives as an id is the same session everywhere, or nobody's.
#[test]
fn any_text_names_one_session_or_none() {
    // Nothing is sent by the clock, so a session that is moved has not been sent, however long this thread stands still.
    let tracer = HoneyHiveTracer::builder()
        .test_mode(true)
        .coalesce_window(Duration::from_secs(24 * 3600))
        .build()
        .unwrap();
    let tried = Cell::new(0_u32);
    holds(&id(), |text| {
        tried.set(tried.get().wrapping_add(1));
        if tried.get().is_multiple_of(1_000) {
            tracer.force_flush_blocking(PATIENCE).unwrap();
        }
        let session = tracer.create_session("chat");
        let first = session.id();
        let moved = session.link_to(&*text);
        let named = tracer.create_session(NewSession::named("named").id(&*text));
        if says_something(&text) {
            prop_assert_eq!(moved, Moved::Whole);
            prop_assert_eq!(session.id(), named.id());
            prop_assert_eq!(session.id(), SessionId::from_correlation_id(&text));
        } else {
            prop_assert_eq!((moved, session.id()), (Moved::Refused, first));
            prop_assert!(!named.id().is_none());
        }
        Ok(())
    });
}
