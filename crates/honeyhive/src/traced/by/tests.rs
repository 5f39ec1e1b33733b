#![expect(
    clippy::needless_borrow,
    reason = "written as the expansion writes it, whatever the type"
)]

use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::wrapper::is_around;
use super::*;
use crate::HoneyHiveTracer;
use crate::session::Session;

struct Opaque;

#[derive(Debug)]
struct Shown;

#[derive(Debug)]
struct Caused(std::fmt::Error);

impl Display for Caused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("asking failed")
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn of_any<T>(value: &T) -> Json {
    (&&&&&&&&&Probe(value)).__honeyhive_json().json
}

#[test]
fn the_best_way_that_there_is_is_taken() {
    assert_eq!(
        (&&&&&&&&&Probe(&7_i64)).__honeyhive_json().json,
        Json::from(7)
    );
    assert_eq!(
        (&&&&&&&&&Probe(&Shown)).__honeyhive_json().json,
        Json::from("Shown")
    );
    let name = (&&&&&&&&&Probe(&Opaque)).__honeyhive_json().json;
    assert!(name.as_str().is_some_and(|name| name.ends_with("::Opaque")));
    // Only bounds count in generic code.
    assert_eq!(of_any(&7_i64), Json::from("i64"));
}

/// The value lends bytes, as `bytes::Bytes` does without its feature `serde`.
#[derive(Debug)]
struct Lent(Vec<u8>);

impl Deref for Lent {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[test]
fn a_buffer_is_its_length_and_its_beginning() {
    let buffer = Lent(vec![0xc8; 1_000_000]);
    let beginning = "c8 ".repeat(16);
    let expected = Json::from(format!("1000000 bytes: {beginning}…"));
    for recorded in [
        (&&&&&&&&&Probe(&buffer)).__honeyhive_json(),
        (&&&&&&&&&Probe(&&buffer)).__honeyhive_json(),
        (&&&&&&&&&Probe(&Arc::new(Lent(vec![0xc8; 1_000_000])))).__honeyhive_json(),
    ] {
        assert_eq!((recorded.json, recorded.is_cut), (expected.clone(), true));
    }
    let few = (&&&&&&&&&Probe(&Lent(vec![1, 2]))).__honeyhive_json();
    assert_eq!(
        (few.json, few.is_cut),
        (Json::from("2 bytes: 01 02"), false)
    );
}

#[test]
fn a_buffer_may_be_missing_be_one_of_several_and_have_owners() {
    let lent = || Lent(vec![1, 2]);
    let one = Json::from("2 bytes: 01 02");
    let several = Json::from(vec![one.clone(); 2]);
    let missing = None::<Lent>;
    for (recorded, expected) in [
        ((&&&&&&&&&Probe(&Some(lent()))).__honeyhive_json(), &one),
        ((&&&&&&&&&Probe(&Some(&lent()))).__honeyhive_json(), &one),
        (
            (&&&&&&&&&Probe(&&Some(Arc::new(lent())))).__honeyhive_json(),
            &one,
        ),
        ((&&&&&&&&&Probe(&missing)).__honeyhive_json(), &Json::Null),
        ((&&&&&&&&&Probe(&Rc::new(lent()))).__honeyhive_json(), &one),
        (
            (&&&&&&&&&Probe(&vec![lent(), lent()])).__honeyhive_json(),
            &several,
        ),
        (
            (&&&&&&&&&Probe(&Some(vec![lent(), lent()]))).__honeyhive_json(),
            &several,
        ),
    ] {
        assert_eq!(recorded.json, *expected);
    }
}

#[cfg(feature = "model-calls")]
#[test]
fn what_web_servers_hand_over_is_a_buffer() {
    let expected = Json::from("3 bytes: 01 02 03");
    let bytes = bytes::Bytes::from_static(&[1, 2, 3]);
    assert_eq!((&&&&&&&&&Probe(&bytes)).__honeyhive_json().json, expected);
    let mutable = bytes::BytesMut::from(&bytes[..]);
    assert_eq!((&&&&&&&&&Probe(&mutable)).__honeyhive_json().json, expected);
}

#[test]
fn what_only_lends_its_bytes_shows_itself() {
    struct Hidden(Vec<u8>);

    impl Debug for Hidden {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("Sensitive")
        }
    }

    impl AsRef<[u8]> for Hidden {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    let recorded = (&&&&&&&&&Probe(&Hidden(vec![1]))).__honeyhive_json();
    assert_eq!(recorded.json, Json::from("Sensitive"));
    let recorded = (&&&&&&&&&Probe(&"text")).__honeyhive_json();
    assert_eq!(recorded.json, Json::from("text"));
}

/// The wrapper is around one value, and shows itself.
#[derive(Debug)]
struct Wrap<T>(T);

impl<T> Deref for Wrap<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The value has another beside the one that is lent.
#[derive(Debug)]
struct More(Vec<i32>, #[expect(dead_code, reason = "is shown")] i32);

impl Deref for More {
    type Target = Vec<i32>;

    fn deref(&self) -> &Vec<i32> {
        &self.0
    }
}

#[test]
fn a_wrapper_is_what_is_in_it_unless_there_is_more_or_it_hides_that() {
    /// A value that is not to be seen.
    struct Hidden<T>(T);

    impl<T> Debug for Hidden<T> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("Hidden(…)")
        }
    }

    impl<T> Deref for Hidden<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    let list = Json::from(vec![1, 2]);
    let wrapped = Wrap(vec![1, 2]);
    assert_eq!((&&&&&&&&&Probe(&wrapped)).__honeyhive_json().json, list);
    assert_eq!((&&&&&&&&&Probe(&&wrapped)).__honeyhive_json().json, list);
    let more = (&&&&&&&&&Probe(&More(vec![1], 2))).__honeyhive_json();
    assert_eq!(more.json, Json::from("More([1], 2)"));
    let text = (&&&&&&&&&Probe(&Wrap("a \"b\"".to_owned()))).__honeyhive_json();
    assert_eq!(text.json, Json::from("a \"b\""));
    let number = (&&&&&&&&&Probe(&Wrap(7))).__honeyhive_json();
    assert_eq!(number.json, Json::from(7));
    let hidden = (&&&&&&&&&Probe(&Hidden("s".to_owned()))).__honeyhive_json();
    assert_eq!(hidden.json, Json::from("Hidden(…)"));
    let hidden = (&&&&&&&&&Probe(&Hidden(vec!["s", "t"]))).__honeyhive_json();
    assert_eq!(hidden.json, Json::from("Hidden(…)"));
    let flag = (&&&&&&&&&Probe(&Wrap(true))).__honeyhive_json();
    assert_eq!(flag.json, Json::from(true));
}

#[test]
fn a_wrapper_is_unwrapped_where_its_debug_is_that_of_the_value_in_brackets() {
    #[derive(Debug, Serialize)]
    struct Login {
        user: &'static str,
        password: &'static str,
    }

    let rows: &[(&str, &str, bool)] = &[
        ("Wrap(7)", "7", true),
        ("Wrap { inner: 7 }", "7", true),
        ("Path(67e55044-10b1)", "67e55044-10b1", true),
        ("Json(User)", "User", true),
        ("Wrap('a')", "'a'", true),
        ("Sha256Key(<hidden>)", "[5]", false),
        ("Sha5", "5", false),
        ("key is (7)", "7", false),
        (
            "Masked { user: \"ann\", password: *** }",
            "Login { user: \"ann\" }",
            false,
        ),
        ("Masked(7, 8)", "7", false),
        ("", "", false),
    ];
    for (wrapper, value, expected) in rows {
        assert_eq!(is_around(wrapper, value), *expected, "{wrapper}");
    }
    let long = Wrap(Login {
        user: "ann",
        password: "long",
    });
    let json = (&&&&&&&&&Probe(&long)).__honeyhive_json().json;
    assert_eq!(json, serde_json::json!({"user": "ann", "password": "long"}));
    let long = "é".repeat(100_000);
    let recorded = (&&&&&&&&&Probe(&Wrap(vec![long]))).__honeyhive_json();
    assert!(recorded.json.is_array());
}

#[test]
fn a_generic_wrapper_without_debug_is_the_object_in_it_and_any_other_is_named() {
    #[derive(Serialize)]
    struct Reply {
        text: &'static str,
    }

    struct Quiet<T>(T);

    impl<T> Deref for Quiet<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    struct Key([u8; 2]);

    impl Deref for Key {
        type Target = [u8; 2];

        fn deref(&self) -> &[u8; 2] {
            &self.0
        }
    }

    let reply = (&&&&&&&&&Probe(&Quiet(Reply { text: "a" }))).__honeyhive_json();
    assert_eq!(reply.json, serde_json::json!({"text": "a"}));
    let list = (&&&&&&&&&Probe(&Quiet(vec![Reply { text: "a" }]))).__honeyhive_json();
    assert_eq!(list.json, serde_json::json!([{"text": "a"}]));
    let named = |recorded: Recorded, name: &str| {
        let text = recorded.json.as_str().map(str::to_owned);
        assert!(text.is_some_and(|text| text.ends_with(name)), "{name}");
    };
    named(
        (&&&&&&&&&Probe(&Quiet("s".to_owned()))).__honeyhive_json(),
        "Quiet<alloc::string::String>",
    );
    named(
        (&&&&&&&&&Probe(&Quiet(vec![1_u8]))).__honeyhive_json(),
        "Quiet<alloc::vec::Vec<u8>>",
    );
    named((&&&&&&&&&Probe(&Key([1, 2]))).__honeyhive_json(), "Key");
}

#[test]
fn a_handle_with_something_beside_it_is_no_handle() {
    #[derive(Serialize)]
    struct Conversation {
        #[serde(skip)]
        session: Session,
        question: &'static str,
    }

    impl Deref for Conversation {
        type Target = Session;

        fn deref(&self) -> &Session {
            &self.session
        }
    }

    let tracer = HoneyHiveTracer::disabled();
    let session = tracer.create_session("chat");
    let shared = Arc::new(session.clone());
    let handle = (&&&&&&&&&Probe(&shared)).__honeyhive_json();
    assert_eq!(handle, Recorded::NOTHING);
    let conversation = Conversation {
        session,
        question: "why",
    };
    let recorded = (&&&&&&&&&Probe(&conversation)).__honeyhive_json();
    assert_eq!(recorded.json, serde_json::json!({"question": "why"}));
}

#[test]
fn a_number_beyond_64_bits_is_text() {
    let value = (&&&&&&&&&Probe(&u128::MAX)).__honeyhive_json().json;
    assert_eq!(value, Json::from(u128::MAX.to_string()));
}

#[test]
fn a_number_that_is_none_is_named_and_nothing_is_nothing() {
    for (value, expected) in [
        (f64::NAN, Json::from("nan")),
        (f64::INFINITY, "inf".into()),
        (f64::NEG_INFINITY, "-inf".into()),
        (0.5, 0.5.into()),
    ] {
        assert_eq!((&&&&&&&&&Probe(&value)).__honeyhive_json().json, expected);
    }
    assert_eq!(
        (&&&&&&&&&Probe(&None::<u8>)).__honeyhive_json().json,
        Json::Null
    );
    assert_eq!((&&&&&&&&&Probe(&())).__honeyhive_json().json, Json::Null);
}

#[test]
fn errors_are_told_apart_from_values() {
    let failed: Result<i32, &str> = Err("no");
    assert_eq!((&&Outcome(&failed)).__honeyhive_outcome(), Err(&"no"));
    assert_eq!((&&Outcome(&5)).__honeyhive_outcome(), Ok(&5));
    assert_eq!((&&&&&&Failure(&"no")).__honeyhive_text(), "no");
    assert_eq!((&&&&&&Failure(&Shown)).__honeyhive_text(), "Shown");
    let name = (&&&&&&Failure(&Opaque)).__honeyhive_text();
    assert!(name.ends_with("::Opaque"));
}

#[test]
fn errors_are_told_with_their_causes_boxed_or_not() {
    let error = || std::io::Error::other(Caused(std::fmt::Error));
    let expected = "asking failed: an error occurred when formatting an argument";
    assert_eq!((&&&&&&Failure(&error())).__honeyhive_text(), expected);
    let boxed: Box<dyn Error> = Box::new(error());
    assert_eq!((&&&&&&Failure(&boxed)).__honeyhive_text(), expected);
    let boxed: Box<dyn Error + Send + Sync> = Box::new(error());
    assert_eq!((&&&&&&Failure(&boxed)).__honeyhive_text(), expected);
    let shared = Arc::new(error());
    assert_eq!((&&&&&&Failure(&shared)).__honeyhive_text(), expected);
}
