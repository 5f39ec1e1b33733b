//! Whatever bytes a request brings along, a session comes out and nothing else happens.

use honeyhive::SessionId;
use honeyhive::http::{Headers, RequestInfo, ServerInstrumentation};
use honeyhive::testing::tracer;
use proptest::prelude::*;

/// The headers of a request, whatever an HTTP server would say to them.
#[derive(Debug)]
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

fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..400);
    let uuid = any::<u128>().prop_map(|bits| {
        let hex = format!("{bits:032x}");
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    });
    let value = prop_oneof![
        3 => bytes,
        2 => "[ -~]{0,300}".prop_map(String::into_bytes),
        2 => uuid.clone().prop_map(String::into_bytes),
        1 => uuid.prop_map(|id| format!("honeyhive.session_id={id};x=%zz,=").into_bytes()),
        1 => "(honeyhive\\.)?session_id=[ -~]{0,300}".prop_map(String::into_bytes),
    ];
    (proptest::sample::select(&NAMES), value)
}

/// What the table says of a single header: usable text, or nothing.
fn expected(values: &[&[u8]]) -> Option<SessionId> {
    let [value] = values else { return None };
    let text = std::str::from_utf8(value).ok()?.trim();
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let fits = (1..=256).contains(&text.len());
    (is_plain && fits).then(|| SessionId::from_correlation_id(text))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_the_headers_are_a_session_or_nothing(
        headers in proptest::collection::vec(header(), 0..6),
        method in "[A-Z]{1,12}",
        path in "/[ -~]{0,80}",
    ) {
        let (tracer, _) = tracer();
        let instrumentation = ServerInstrumentation::builder(tracer.clone()).filter(|_| true).build().unwrap();
        let headers = Anything(headers);
        let guard = instrumentation.on_request(&RequestInfo::new(&method, &path, &headers));
        let id = guard.response_id();
        prop_assert!(id.is_some(), "every request has a session");
        let named = headers.all("x-session-id");
        let ignored = tracer.stats().ignored_session_ids;
        match expected(&named) {
            Some(wanted) => prop_assert_eq!((id, ignored), (Some(wanted), 0)),
            None if named.is_empty() => {}
            None => prop_assert_eq!(ignored, 1),
        }
    }
}
