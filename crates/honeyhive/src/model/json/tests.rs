use std::time::Duration;

use super::locks::BEHIND_A_LOCK;
use super::*;
use serde::Serialize;
use serde::ser::Error as _;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// The value is refused as a whole.
struct Broken;

impl Serialize for Broken {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

#[derive(Serialize)]
enum Kind {
    Plain,
    New(u8),
    Pair(u8, f32),
    Named { x: Option<char> },
}

#[derive(Serialize)]
struct All<'a> {
    kinds: Vec<Kind>,
    tuple: (bool, i64, &'a str),
    bytes: &'a [u8],
    unit: (),
    none: Option<u8>,
    map: BTreeMap<u8, &'a str>,
}

#[test]
fn what_json_holds_is_what_everybody_makes_of_it() {
    let all = All {
        kinds: vec![
            Kind::Plain,
            Kind::New(1),
            Kind::Pair(2, 0.5),
            Kind::Named { x: Some('ü') },
        ],
        tuple: (true, i64::MIN, "text"),
        bytes: b"by",
        unit: (),
        none: None,
        map: BTreeMap::from([(1, "one")]),
    };
    assert_eq!(to_json(&all).unwrap(), serde_json::to_value(&all).unwrap());
}

#[test]
fn what_json_cannot_hold_costs_nothing_but_itself() {
    let grid = HashMap::from([((1, 2), 3)]);
    let huge = u128::MAX;
    let mixed = (1, Broken, f64::NAN, f64::NEG_INFINITY, grid, huge);
    assert_eq!(
        to_json(&mixed).unwrap(),
        json!([1, "[not serialisable: no]", "nan", "-inf", {"[1,2]": 3}, huge.to_string()])
    );
    assert!(to_json(&Broken).is_err());
}

#[test]
fn a_time_is_text_and_what_only_looks_like_one_stays() {
    let then = std::time::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    assert_eq!(
        to_json(&[then]).unwrap(),
        json!(["2023-11-14T22:13:20.123000000Z"])
    );
    let far = std::time::UNIX_EPOCH + Duration::from_secs(1 << 40);
    assert_eq!(to_json(&far).unwrap()["secs_since_epoch"], 1_u64 << 40);
    let theirs = json!({"secs_since_epoch": u64::MAX, "nanos_since_epoch": u64::MAX});
    assert_eq!(to_json(&theirs).unwrap(), theirs);
}

fn taken(value: &(impl Serialize + ?Sized)) -> Taken {
    take(value, Bounds::EVENT).unwrap()
}

/// The list tells its length, or not, and goes on for as long as it may.
struct Endless(Option<usize>);

impl Serialize for Endless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut list = serializer.serialize_seq(self.0)?;
        for number in 0.. {
            list.serialize_element(&number)?;
        }
        list.end()
    }
}

#[test]
fn long_lists_of_numbers_and_bytes_are_their_length_and_their_beginning() {
    let sixteen = |mark: &str| {
        let mut list: Vec<_> = (0..16).map(Value::from).collect();
        list.push(mark.into());
        json!(list)
    };
    let bytes = "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f …";
    let counted: Vec<u8> = (0..=255).collect();
    for (found, expected) in [
        (
            taken(&(0..101).collect::<Vec<i64>>()),
            sixteen("… [cut: 101 items in all]"),
        ),
        (
            taken(&Endless(None)),
            sixteen("… [cut: over 16 items in all]"),
        ),
        (
            taken(&Endless(Some(7_000))),
            sixteen("… [cut: 7000 items in all]"),
        ),
        (taken(&counted), json!(format!("256 bytes: {bytes}"))),
        (taken(&counted[..33]), json!(format!("33 bytes: {bytes}"))),
        (taken(&vec![f64::NAN; 200]), {
            let mut list = vec![json!("nan"); 16];
            list.push("… [cut: 200 items in all]".into());
            json!(list)
        }),
        (
            taken(&Bytes(&counted)),
            json!(format!("256 bytes: {bytes}")),
        ),
    ] {
        assert_eq!((found.json, found.is_cut), (expected, true));
    }
    // The lists are one that is not long, and one that has more to say than numbers.
    let hundred: Vec<u16> = (0..100).collect();
    assert_eq!(taken(&hundred).json, json!(hundred));
    let named: Vec<_> = (0..200).map(|it| format!("number {it}")).collect();
    assert_eq!(taken(&named).json, json!(named));
    assert_eq!(taken(&counted[..32]).json, json!(counted[..32]));
    assert_eq!(taken(&Bytes(b"by")).json, json!("2 bytes: 62 79"));
}

#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[test]
fn no_value_is_taken_beyond_the_bounds_in_whatever_it_stands() {
    #[derive(Serialize)]
    struct Wide {
        first: Vec<String>,
        second: BTreeMap<u32, String>,
        last: u8,
    }
    let wide = Wide {
        first: (0..60).map(|it| it.to_string()).collect(),
        second: (0..60).map(|it| (it, it.to_string())).collect(),
        last: 1,
    };
    let found = take(&wide, Bounds::of(100, usize::MAX)).unwrap();
    assert!(found.is_cut);
    assert_eq!(found.json["first"][59], "59");
    assert_eq!(found.json["second"]["39"], "39");
    assert_eq!(found.json["second"]["truncated"], true);
    assert_eq!(found.json["truncated"], true);
    assert_eq!(found.json.get("last"), None);

    let found = take(&wide, Bounds::of(50, usize::MAX)).unwrap();
    assert_eq!(found.json["first"][50], "… [cut: 60 items in all]");

    let texts = ["x".repeat(600), "y".repeat(600), "z".repeat(600)];
    let found = take(&texts, Bounds::of(100, 1_000)).unwrap();
    assert_eq!(found.json[0], texts[0]);
    let second = found.json[1].as_str().unwrap();
    assert!(second.ends_with("y… [cut: 600 bytes in all]"), "{second}");
    assert_eq!(found.json[2], "… [cut: 3 items in all]");
}

/// The value nests as deep as asked for.
struct Deep(usize);

impl Serialize for Deep {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = Self(self.0.saturating_sub(1));
        match self.0 % 4 {
            _ if self.0 == 0 => serializer.serialize_str("bottom"),
            0 => serializer.serialize_some(&inner),
            1 => serializer.serialize_newtype_struct("Deep", &inner),
            2 => serializer.collect_seq([inner]),
            _ => serializer.collect_map([("a", inner)]),
        }
    }
}

#[test]
fn what_is_too_deep_has_a_mark_at_the_bottom_however_it_is_nested() {
    assert!(taken(&Deep(64)).json.to_string().contains("bottom"));
    // The thread's stack has room for little else.
    let deep = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(|| taken(&Deep(1_000_000)))
        .unwrap();
    let found = deep.join().unwrap();
    assert!(found.is_cut);
    assert!(
        found
            .json
            .to_string()
            .contains("… [cut: over 64 values within each other]")
    );
}

#[test]
fn what_is_behind_a_lock_is_left_out_wherever_its_type_is_seen() {
    use std::sync::{Mutex, RwLock};

    struct Lock<T>(Mutex<T>);

    /// The impl does the same as `serde`'s for the locks of the standard library, which needs its feature `std`.
    impl<T: Serialize> Serialize for Lock<T> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_some(&self.0)
        }
    }

    #[derive(Serialize)]
    struct App {
        name: &'static str,
        #[serde(rename = "state")]
        first: Mutex<u8>,
        second: Vec<RwLock<u8>>,
        third: Option<Mutex<u8>>,
        fourth: Lock<u8>,
    }
    let app = App {
        name: "app",
        first: Mutex::new(1),
        second: vec![RwLock::new(2)],
        third: Some(Mutex::new(3)),
        fourth: Lock(Mutex::new(4)),
    };
    // All locks are held by this thread, so that locking one would block forever.
    let _held = (
        app.first.lock().unwrap(),
        app.second[0].write().unwrap(),
        app.third.as_ref().map(|it| it.lock().unwrap()),
        app.fourth.0.lock().unwrap(),
    );
    assert_eq!(
        taken(&app).json,
        json!({
            "name": "app",
            "state": BEHIND_A_LOCK,
            "second": [BEHIND_A_LOCK],
            "third": BEHIND_A_LOCK,
            "fourth": BEHIND_A_LOCK,
        })
    );
}

#[test]
fn numbers_of_32_bits_are_what_they_are_written_as() {
    assert_eq!(taken(&0.9_f32).json, json!(0.9));
    assert_eq!(taken(&json!({"a": [0.1_f32]})).json, json!({"a": [0.1]}));
    assert_eq!(taken(&0.9_f64).json, json!(0.9));
}

#[test]
fn a_text_is_told_from_what_is_only_written_as_one() {
    #[derive(Serialize)]
    struct Token(String);

    #[derive(Serialize)]
    enum Kind {
        Plain,
    }
    assert!(taken("text").is_text && taken(&'c').is_text);
    assert!(taken(&Token("text".to_owned())).is_text && taken(&Some("text")).is_text);
    for not in [
        taken(&Kind::Plain),
        taken(&f64::NAN),
        taken(&["text"]),
        taken(&u128::MAX),
        taken(&std::time::SystemTime::now()),
    ] {
        assert!(!not.is_text, "{not:?}");
    }
}

#[test]
fn values_of_a_private_name_are_what_they_stand_for() {
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::Number")]
    struct Number {
        #[serde(rename = "$serde_json::private::Number")]
        number: &'static str,
    }

    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::RawValue")]
    struct Raw {
        #[serde(rename = "$serde_json::private::RawValue")]
        json: &'static str,
    }

    #[derive(Serialize)]
    #[serde(rename = "$__toml_private_Datetime")]
    struct Date {
        #[serde(rename = "$__toml_private_datetime")]
        date: &'static str,
    }
    let number = |number| taken(&[Number { number }]).json;
    assert_eq!(number("42"), json!([42]));
    assert_eq!(number("0.5"), json!([0.5]));
    assert_eq!(
        number("123456789012345678901"),
        json!(["123456789012345678901"])
    );
    let raw = |json| taken(&[Raw { json }]).json;
    assert_eq!(raw(r#"{"a": [1, null]}"#), json!([{"a": [1, null]}]));
    assert_eq!(raw("no json"), json!(["no json"]));
    assert_eq!(
        taken(&Date { date: "1979-05-27" }).json,
        json!("1979-05-27")
    );
}

thread_local! {
    /// The number of serialised values is counted.
    static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The value takes no room, however many there are of it.
#[derive(Clone, Copy)]
struct Counted(Option<&'static str>);

impl Serialize for Counted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ASKED.set(ASKED.get() + 1);
        match self.0 {
            Some(text) => serializer.serialize_str(text),
            None => serializer.serialize_unit(),
        }
    }
}

/// The list iterates by itself, without end.
struct Own;

impl Serialize for Own {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        for key in 0_u64.. {
            map.serialize_entry(&key, &Counted(Some("x")))?;
        }
        map.end()
    }
}

/// The map has no end, and its one key has a value that cannot be written.
struct Repeating;

#[derive(Clone)]
struct Refused;

impl Serialize for Refused {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        ASKED.set(ASKED.get() + 1);
        Err(serde::ser::Error::custom("no"))
    }
}

impl Serialize for Repeating {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(std::iter::repeat(("", Refused)))
    }
}

#[test]
fn no_more_values_are_asked_than_are_kept() {
    const MOST: usize = 64 * 1024 + 8;
    let asked = |value: &dyn Fn() -> Taken| {
        ASKED.set(0);
        assert!(value().is_cut);
        ASKED.get()
    };
    let many = 1_000_000;
    let text = Counted(Some("x"));
    let nothing = vec![Counted(None); many];
    assert!(asked(&|| taken(&nothing)) <= 101);
    let texts = vec![text; many];
    assert!(asked(&|| taken(&texts)) <= MOST);
    let keys: HashMap<usize, Counted> = (0..200_000).map(|key| (key, text)).collect();
    assert!(asked(&|| taken(&keys)) <= 4_096);
    assert_eq!(taken(&keys).json["truncated"], true);
    let lists = vec![vec![Counted(None); 200]; 10_000];
    assert!(asked(&|| taken(&lists)) <= MOST);
    assert!(asked(&|| taken(&Own)) <= 4_096);
    assert!(asked(&|| taken(&Repeating)) <= MOST);
    let pairs = std::iter::repeat_n((text, text), many).collect::<Vec<_>>();
    assert!(asked(&|| taken(&pairs)) <= MOST + 2);
    let nulls = Value::from(vec![Value::Null; many]);
    assert_eq!(taken(&nulls).json.as_array().map(Vec::len), Some(17));
    let pictures = vec![vec![0xff_u8; 100]; 100_000];
    assert!(taken(&pictures).json.to_string().len() < 1024 * 1024);
    let octets = vec![Bytes(&[0xff; 1_000]); 100_000];
    assert!(taken(&octets).json.to_string().len() < 8 * 1024 * 1024);
}

#[test]
fn numbers_and_keys_are_as_the_program_meant_them() {
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    enum Key {
        Plain,
    }
    for (found, expected) in [
        (taken(&i128::from(u64::MAX)), json!(u64::MAX)),
        (taken(&i128::from(i64::MIN)), json!(i64::MIN)),
        (taken(&i128::MIN), json!(i128::MIN.to_string())),
        (taken(&u128::from(u64::MAX)), json!(u64::MAX)),
        (taken(&f32::MAX), json!(3.402_823_5e38)),
        (taken(&-0.0_f32), json!(-0.0)),
        (taken(&16_777_217.0_f32), json!(16_777_216.0)),
        (taken(&BTreeMap::from([(true, 1)])), json!({"true": 1})),
        (taken(&BTreeMap::from([(-7, 1)])), json!({"-7": 1})),
        (taken(&BTreeMap::from([('ü', 1)])), json!({"ü": 1})),
        (taken(&BTreeMap::from([((), 1)])), json!({"null": 1})),
        (taken(&BTreeMap::from([(Some(2), 1)])), json!({"2": 1})),
        (
            taken(&BTreeMap::from([(Key::Plain, 1)])),
            json!({"Plain": 1}),
        ),
        (
            taken(&BTreeMap::from([(u128::MAX, 1)])),
            json!({u128::MAX.to_string(): 1}),
        ),
    ] {
        assert_eq!(found.json.to_string(), expected.to_string());
    }
}

#[test]
fn a_cell_that_is_borrowed_costs_nothing_but_itself() {
    use std::cell::{Cell, RefCell};

    let cell = RefCell::new(1);
    let other = RefCell::new("x");
    let _held = cell.borrow_mut();
    let found = taken(&(&cell, &other, Cell::new(2))).json;
    assert_eq!(
        found,
        json!(["[not serialisable: already mutably borrowed]", "x", 2])
    );
}
