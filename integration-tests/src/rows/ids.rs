//! Session ids come from outside.

use std::time::Duration;

use honeyhive::http::SessionTrust;
use honeyhive::{SessionId, SigningKeys};
use tokio::io::AsyncReadExt;

use crate::adapter::Adapter;
use crate::client::{Answer, Call};
use crate::harness::{PATIENCE, Stage};

/// An unusable id counts as absent: a new session begins and is counted; the answer is no 4xx and does not repeat the
/// id.
pub async fn an_id_that_cannot_be_used_counts_as_absent<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let long = "a".repeat(10 * 1024);
    let bad: [&[u8]; 6] = [
        b"",
        b"   ",
        long.as_bytes(),
        b"\xff\xfe\xfd",
        b"tab\tin it",
        "sch\u{f6}n".as_bytes(),
    ];
    for (done, value) in (1..).zip(bad) {
        let answer = probe(&stage).header("x-session-id", value).send().await;
        assert_begins_anew(&stage, &answer, done).await;
    }
    let twice = probe(&stage)
        .in_session(SessionId::new())
        .in_session(SessionId::new());
    assert_begins_anew(&stage, &twice.send().await, 7).await;
}

/// A placeholder for a missing id is no id: else all callers that send it would share a session.
pub async fn an_id_that_says_nothing_counts_as_absent<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let nil = "00000000-0000-0000-0000-000000000000";
    let nothing = [
        "undefined",
        "null",
        "None",
        "NULL",
        " nil ",
        "\"\"",
        "[object Object]",
        "-",
        nil,
    ];
    let mut ignored = 0;
    for value in nothing {
        let in_baggage = format!("honeyhive.session_id={}", value.replace(' ', "%20"));
        for (header, value) in [("x-session-id", value), ("baggage", &in_baggage)] {
            let answer = probe(&stage).header(header, value).send().await;
            ignored += 1;
            assert_begins_anew(&stage, &answer, ignored).await;
        }
    }
}

fn probe(stage: &Stage) -> Call {
    stage.request("GET", "/status/200")
}

async fn assert_begins_anew(stage: &Stage, answer: &Answer, ignored: u64) {
    assert_eq!(answer.status, 200);
    let session = stage.session(answer.session_id()).await;
    assert_eq!((session.posts, session.updates), (1, 0), "{session:#?}");
    assert_eq!(session.inputs["path"], "/status/200");
    assert_eq!(stage.stats().ignored_session_ids, ignored);
}

/// No header may hold some bytes: the HTTP server refuses them, or the id counts as absent.
pub async fn bytes_that_no_header_may_hold_name_no_session<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    for byte in [0x00, 0x01, 0x0b, 0x1f, 0x7f] {
        let mut request =
            b"GET /status/200 HTTP/1.1\r\nconnection: close\r\nhost: here\r\n".to_vec();
        request.extend([b"x-session-id: a".as_slice(), &[byte], b"b\r\n\r\n"].concat());
        let mut connection = stage.connect(&request).await;
        let mut answer = Vec::new();
        // A server that refuses a request may close before it has read all of it.
        let _ = connection.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 400");
        assert!(refused || answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.contains(char::from(byte)), "{answer:?}");
    }
    stage.settle().await;
    let mapped = SessionId::from_correlation_id("ab").to_string();
    assert!(stage.honeyhive.session(&mapped).is_none());
    assert_eq!(
        stage.starts().len() as u64,
        stage.stats().ignored_session_ids
    );
}

/// An id that is no UUID stands for the same UUID everywhere and always.
pub async fn an_id_that_is_no_uuid_is_mapped<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    // The UUID is uuid5 of the URL namespace, as any other language computes it.
    let mapped = "28e3277b-8a8c-5091-b2d5-e948f85f9c0a";
    for raw in ["conversation-7", "  conversation-7 "] {
        let answer = probe(&stage).header("x-session-id", raw).send().await;
        assert_eq!(answer.session_id().to_string(), mapped);
    }
    assert_eq!(stage.stats().ignored_session_ids, 0);
    let _ = stage.tracer.force_flush(PATIENCE).await;
    assert!(stage.starts().is_empty(), "they are links");
}

/// A UUID in upper case is the same UUID.
pub async fn an_upper_case_uuid_names_the_same_session<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = probe(&stage).send().await.session_id();
    stage.settle().await;
    let upper = id.to_string().to_uppercase();
    let answer = probe(&stage).header("x-session-id", upper).send().await;
    assert_eq!(answer.session_id(), id);
    assert_eq!(stage.only_session().await.updates, 1);
}

/// `SessionTrust::Uuid` takes UUIDs and nothing else.
pub async fn trust_in_uuids_takes_nothing_else<A: Adapter>() {
    let stage = with_trust::<A>(SessionTrust::Uuid).await;
    let id = SessionId::new();
    assert_eq!(probe(&stage).in_session(id).send().await.session_id(), id);
    let answer = probe(&stage).header("x-session-id", "conversation-7");
    let answer = answer.send().await;
    let mapped = SessionId::from_correlation_id("conversation-7");
    assert_ne!(answer.session_id(), mapped);
    assert_eq!(stage.stats().ignored_session_ids, 1);
}

/// `SessionTrust::Never` takes no id from anywhere.
pub async fn without_trust_every_request_is_a_session_of_its_own<A: Adapter>() {
    let stage = with_trust::<A>(SessionTrust::Never).await;
    let id = SessionId::new();
    let by_header = probe(&stage).in_session(id).send().await;
    let baggage = format!("honeyhive.session_id={id}");
    let by_baggage = probe(&stage).header("baggage", baggage).send().await;
    assert_ne!(by_header.session_id(), id);
    assert_ne!(by_baggage.session_id(), id);
    stage.settle().await;
    assert_eq!(stage.starts().len(), 2);
}

/// The program decides; what it declines counts as absent.
pub async fn the_program_decides_which_ids_it_trusts<A: Adapter>() {
    let signed = |raw: &str| Some(SessionId::from_correlation_id(raw.strip_prefix("signed:")?));
    let stage = with_trust::<A>(SessionTrust::with(signed)).await;
    let answer = probe(&stage).header("x-session-id", "signed:7");
    let expected = SessionId::from_correlation_id("7");
    assert_eq!(answer.send().await.session_id(), expected);
    let id = SessionId::new();
    assert_ne!(probe(&stage).in_session(id).send().await.session_id(), id);
    assert_eq!(stage.stats().ignored_session_ids, 1);
}

/// A session is named only by an id that the service has signed; other ids are counted, and a session begins.
pub async fn only_signed_ids_are_taken_and_signed_ids_go_back<A: Adapter>() {
    let stage = with_trust::<A>(SessionTrust::signed(signing_keys())).await;
    let first = probe(&stage).send().await;
    let signed = signed_id(&first);
    let id = signing_keys().verify(&signed).expect("an id of ours");
    let again = probe(&stage).header("x-session-id", &signed);
    let again = signed_id(&again.send().await);
    assert_eq!(signing_keys().verify(&again), Some(id));

    let stranger = SigningKeys::new([9; 32]).unwrap();
    let expired = signing_keys().valid_for(Duration::ZERO);
    for other in [
        id.to_string(),
        stranger.sign(id),
        expired.sign(id),
        format!("{signed}x"),
        signing_keys().for_tenant("acme").sign(id),
    ] {
        let answer = probe(&stage).header("x-session-id", &other).send().await;
        assert_eq!(answer.status, 200, "{other}");
        let new = signing_keys().verify(&signed_id(&answer));
        assert!(new.is_some_and(|new| new != id), "{other}");
    }
    assert_eq!(stage.stats().ignored_session_ids, 5);
    let session = stage.session(id).await;
    assert_eq!(session.session_id, id.to_string());
}

/// Baggage is not signed, so a client cannot make its session part of an experiment.
pub async fn a_signed_id_brings_no_experiment_along<A: Adapter>() {
    let signed = SessionTrust::signed(signing_keys());
    for (trust, is_taken) in [(SessionTrust::Uuid, true), (signed, false)] {
        let stage = with_trust::<A>(trust).await;
        let named = signed_id(&probe(&stage).send().await);
        let asked = probe(&stage).header("x-session-id", named);
        let asked = asked.header("baggage", "run_id=r-1,datapoint_id=d-1");
        assert_eq!(asked.send().await.status, 200);
        stage.settle().await;
        let names_run = |body: &[u8]| body.windows(3).any(|it| it == b"r-1");
        let sent = stage.honeyhive.requests();
        let is_of_run = sent.iter().any(|it| names_run(&it.body));
        assert_eq!(is_of_run, is_taken);
    }
}

/// An id that an earlier key has signed is taken, and comes back signed by the new one.
pub async fn an_id_outlives_the_key_that_signed_it<A: Adapter>() {
    let new = SigningKeys::new([8; 32]).unwrap();
    let rotated = new.clone().also_accept([7; 32]).unwrap();
    let stage = with_trust::<A>(SessionTrust::signed(rotated)).await;
    let id = SessionId::new();
    let asked = probe(&stage).header("x-session-id", signing_keys().sign(id));
    assert_eq!(new.verify(&signed_id(&asked.send().await)), Some(id));
}

/// An id that was signed for one tenant is nothing in the hands of another.
pub async fn an_id_is_signed_for_the_tenant_of_its_request<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder
            .session_trust(SessionTrust::signed(signing_keys()))
            .session_tenant(|request| request.header("x-tenant").map(str::to_owned))
    });
    let stage = builder.start::<A>().await;
    let of = |tenant: &str| probe(&stage).header("x-tenant", tenant);
    let keys = |tenant: &str| signing_keys().for_tenant(tenant);
    let signed = signed_id(&of("acme").send().await);
    let id = keys("acme").verify(&signed).expect("an id of acme's");
    let again = of("acme").header("x-session-id", &signed).send().await;
    assert_eq!(keys("acme").verify(&signed_id(&again)), Some(id));
    let other = of("other").header("x-session-id", &signed).send().await;
    let other = keys("other").verify(&signed_id(&other));
    assert!(other.is_some_and(|other| other != id));
    let nobody = probe(&stage).header("x-session-id", &signed).send().await;
    let nobody = signing_keys().verify(&signed_id(&nobody));
    assert!(nobody.is_some_and(|nobody| nobody != id));
    assert_eq!(stage.stats().ignored_session_ids, 2);
}

/// A panic of the program's callback leaves the tenant unknown, so an id that belongs to no tenant is not taken either.
pub async fn no_id_is_taken_for_a_tenant_that_is_unknown<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder
            .session_trust(SessionTrust::signed(signing_keys()))
            .session_tenant(|_| -> Option<String> { panic!("no tenants today") })
    });
    let stage = builder.start::<A>().await;
    let id = SessionId::new();
    let signed = signing_keys().sign(id);
    let answer = probe(&stage).header("x-session-id", &signed).send().await;
    assert_eq!(answer.status, 200);
    assert_ne!(stage.only_session().await.session_id, id.to_string());
    assert_eq!(stage.stats().callback_panics, 1);
}

fn signing_keys() -> SigningKeys {
    SigningKeys::new([7; 32]).unwrap()
}

fn signed_id(answer: &Answer) -> String {
    answer.header("x-session-id").expect("a session").to_owned()
}

async fn with_trust<A: Adapter>(trust: SessionTrust) -> Stage {
    let builder = Stage::builder();
    let builder = builder.instrumentation(|builder| builder.session_trust(trust));
    builder.start::<A>().await
}

/// The program's own place for the id comes after the header and before the baggage.
pub async fn the_program_finds_the_id_where_the_header_is_absent<A: Adapter>() {
    let stage = with_cookies::<A>().await;
    let cookie = "theme=dark; conversation= trip-42 ; a=b";
    let caller = SessionId::new();
    let baggage = format!("honeyhive.session_id={caller}");
    let by_cookie = probe(&stage)
        .header("cookie", cookie)
        .header("baggage", &baggage);
    assert_eq!(by_cookie.send().await.session_id(), "trip-42".into());
    let id = SessionId::new();
    let by_header = probe(&stage).header("cookie", cookie).in_session(id);
    assert_eq!(by_header.send().await.session_id(), id);
    let by_baggage = probe(&stage).header("baggage", &baggage);
    assert_eq!(by_baggage.send().await.session_id(), caller);
}

/// An id in the program's own place is trusted as one in the header is, and a panic there finds none.
pub async fn an_id_that_the_program_finds_counts_as_one_in_the_header<A: Adapter>() {
    let stage = with_cookies::<A>().await;
    for (value, ignored) in [("null", 1), ("", 2), ("panic", 2)] {
        let answer = probe(&stage).header("cookie", format!("conversation={value}"));
        assert_begins_anew(&stage, &answer.send().await, ignored).await;
    }
    assert_eq!(stage.stats().callback_panics, 1);
}

/// Starts a server that looks for the id in a cookie.
async fn with_cookies<A: Adapter>() -> Stage {
    let builder = Stage::builder().instrumentation(|builder| {
        builder.session_id(|request| {
            let mut cookies = request.header("cookie")?.split("; ");
            let id = cookies.find_map(|cookie| cookie.strip_prefix("conversation="))?;
            assert_ne!(id, "panic", "counted");
            Some(id.to_owned())
        })
    });
    builder.start::<A>().await
}

/// An unusable id in the header or in the program's own place leaves the choice to the next place.
pub async fn an_id_that_cannot_be_used_leaves_it_to_the_next_place<A: Adapter>() {
    let stage = with_cookies::<A>().await;
    let long = "a".repeat(10 * 1024);
    let bad: [&[u8]; 5] = [b"", b"   ", b"null", b"tab\tin it", long.as_bytes()];
    let mut ignored = 0;
    for value in bad {
        let by_cookie = probe(&stage)
            .header("x-session-id", value)
            .header("cookie", "conversation=trip-42");
        assert_eq!(by_cookie.send().await.session_id(), "trip-42".into());
        let caller = SessionId::new();
        let cookie = [b"conversation=", value].concat();
        let by_baggage = probe(&stage)
            .header("x-session-id", value)
            .header("cookie", cookie)
            .header("baggage", format!("honeyhive.session_id={caller}"));
        assert_eq!(by_baggage.send().await.session_id(), caller);
        ignored += 3;
        assert_eq!(stage.stats().ignored_session_ids, ignored, "{value:?}");
    }
    let caller = SessionId::new();
    let twice = probe(&stage)
        .in_session(SessionId::new())
        .in_session(SessionId::new())
        .header("baggage", format!("honeyhive.session_id={caller}"));
    assert_eq!(twice.send().await.session_id(), caller);
    assert_eq!(stage.stats().ignored_session_ids, ignored + 1);
}

/// An id that the program finds is trusted no further than one in the header: `Never` and a foreign signature take
/// none, and a closure decides.
pub async fn an_id_that_the_program_finds_is_taken_as_far_as_it_is_trusted<A: Adapter>() {
    let id = SessionId::new();
    let by_closure = |raw: &str| Some(SessionId::from_correlation_id(raw.strip_prefix("own:")?));
    let by_closure = SessionTrust::with(by_closure);
    let signed = SessionTrust::signed(signing_keys());
    let stranger = SigningKeys::new([9; 32]).unwrap();
    for (trust, value, taken, ignored) in [
        (SessionTrust::Never, id.to_string(), None, 0),
        (signed.clone(), id.to_string(), None, 1),
        (signed.clone(), stranger.sign(id), None, 1),
        (signed, signing_keys().sign(id), Some(id), 0),
        (by_closure.clone(), id.to_string(), None, 1),
        (by_closure, "own:7".to_owned(), Some("7".into()), 0),
    ] {
        let shown = format!("{trust:?}: {value}");
        let builder = Stage::builder().instrumentation(|builder| {
            let builder = builder.session_trust(trust);
            builder.session_id(|request| request.header("x-own").map(str::to_owned))
        });
        let stage = builder.start::<A>().await;
        let answer = probe(&stage).header("x-own", &value).send().await;
        assert_eq!(answer.status, 200, "{shown}");
        let _ = stage.tracer.force_flush(PATIENCE).await;
        match taken {
            Some(taken) => {
                let back = answer.header("x-session-id").expect("a session");
                let back = signing_keys().verify(back).or_else(|| back.parse().ok());
                assert_eq!(back, Some(taken), "{shown}");
                assert!(stage.starts().is_empty(), "a link: {shown}");
            }
            None => assert_ne!(stage.only_session().await.session_id, id.to_string()),
        }
        assert_eq!(stage.stats().ignored_session_ids, ignored, "{shown}");
    }
}

/// The header can have another name, in both directions; the default name means nothing then.
pub async fn the_header_can_have_another_name<A: Adapter>() {
    let builder = Stage::builder();
    let builder = builder.instrumentation(|builder| builder.session_id_header("X-Conversation"));
    let stage = builder.start::<A>().await;
    let id = SessionId::new();
    let ours = probe(&stage).header("x-conversation", id.to_string());
    let ours = ours.send().await;
    assert_eq!(ours.header("x-conversation"), Some(&*id.to_string()));
    assert_eq!(ours.header("x-session-id"), None);
    let default = probe(&stage).in_session(id).send().await;
    assert_ne!(default.header("x-conversation"), Some(&*id.to_string()));
}
