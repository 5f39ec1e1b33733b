//! The attribute traces functions, methods, traits and generics.

use std::fmt::{Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};

use honeyhive::{EventType, testing};
use serde::Serialize;

use crate::{event_of, input, output, session};

#[honeyhive::trace]
fn add(left: i64, right: i64) -> i64 {
    left + right
}

#[test]
fn arguments_and_the_return_value_are_recorded_natively() {
    let event = event_of(|| assert_eq!(add(40, 2), 42));
    assert_eq!(event.name, "add");
    assert_eq!(event.attributes["honeyhive_inputs.left"], 40_i64.into());
    assert_eq!(event.attributes["honeyhive_inputs.right"], 2_i64.into());
    assert_eq!(event.attributes["honeyhive_outputs.result"], 42_i64.into());
    assert_eq!(event.error, None);
}

#[test]
fn without_a_session_the_function_just_runs() {
    let (_tracer, captured) = testing::tracer();
    let mut runs = 0;
    count(&mut runs);
    assert_eq!((runs, captured.sessions().len()), (1, 0));
}

#[honeyhive::trace]
fn count(runs: &mut u32) {
    *runs += 1;
}

#[test]
fn the_function_runs_exactly_once() {
    let mut runs = 0;
    let event = event_of(|| count(&mut runs));
    assert_eq!(runs, 1);
    assert_eq!(input(&event, "runs").as_deref(), Some("0"));
    assert_eq!(output(&event), None);
}

#[honeyhive::trace(name = "a name", event_type = "model")]
fn named() {}

#[honeyhive::trace(event_type = EventType::Chain)]
fn typed() {}

#[honeyhive::trace]
fn r#match(r#type: u8) -> u8 {
    r#type
}

#[test]
fn names_and_types_are_as_said() {
    let event = event_of(named);
    assert_eq!((&*event.name, &*event.event_type), ("a name", "model"));
    assert_eq!(event_of(typed).event_type, "chain");
    let event = event_of(|| assert_eq!(r#match(1), 1));
    assert_eq!(event.name, "match");
    assert_eq!(input(&event, "type").as_deref(), Some("1"));
}

#[honeyhive::trace]
fn outer(depth: u32) -> u32 {
    inner(depth) + inner(depth)
}

#[honeyhive::trace(event_type = "tool")]
fn inner(depth: u32) -> u32 {
    if depth == 0 { 1 } else { inner(depth - 1) }
}

#[test]
fn calls_nest_and_recursion_does_too() {
    let (_tracer, captured, session) = session();
    assert_eq!(session.in_scope(|| outer(1)), 2);
    captured.only_session().assert_tree(
        "session
           outer [chain]
             inner [tool]
               inner [tool]
             inner [tool]
               inner [tool]",
    );
}

struct Broken;

impl Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("it broke")
    }
}

impl From<std::num::ParseIntError> for Broken {
    fn from(_: std::num::ParseIntError) -> Self {
        Self
    }
}

#[honeyhive::trace]
fn parse(text: &str) -> Result<i64, Broken> {
    if text.is_empty() {
        return Ok(0);
    }
    let number: i64 = text.parse()?;
    Ok(number)
}

#[test]
fn question_marks_and_early_returns_work_and_errors_are_recorded() {
    assert_eq!(
        output(&event_of(|| assert!(parse("7").is_ok()))).as_deref(),
        Some("7")
    );
    assert_eq!(
        output(&event_of(|| assert!(parse("").is_ok()))).as_deref(),
        Some("0")
    );
    let event = event_of(|| assert!(parse("x").is_err()));
    assert_eq!(event.error.as_deref(), Some("it broke"));
    assert_eq!(output(&event), None);
}

#[honeyhive::trace(event_type = "tool")]
fn fails(how: &str) {
    panic!("no {how}");
}

#[test]
fn a_panic_is_recorded_and_goes_on() {
    let event = event_of(|| {
        let payload = catch_unwind(AssertUnwindSafe(|| fails("way"))).expect_err("it panics");
        assert_eq!(
            payload.downcast_ref::<String>().map(String::as_str),
            Some("no way")
        );
    });
    assert_eq!(event.error.as_deref(), Some("panicked: no way"));
    assert_eq!(input(&event, "how").as_deref(), Some("way"));
}

#[honeyhive::trace]
fn stops() -> ! {
    panic!("stop")
}

#[test]
fn a_function_that_never_returns_is_one_too() {
    let event = event_of(|| {
        let stopped = catch_unwind(|| {
            stops();
        });
        assert!(stopped.is_err());
    });
    assert_eq!(event.error.as_deref(), Some("panicked: stop"));
}

struct Opaque;

#[honeyhive::trace]
fn serialised<T: Serialize>(value: T) -> T {
    value
}

#[honeyhive::trace]
fn shown<T: Debug>(value: T) -> T {
    value
}

#[honeyhive::trace]
fn bare<T>(value: T) -> T {
    value
}

#[test]
fn in_generic_code_the_bounds_count() {
    let event = event_of(|| drop(serialised(vec![1, 2])));
    assert_eq!(input(&event, "value.1").as_deref(), Some("2"));
    assert_eq!(
        event.text("honeyhive_outputs.result.0").as_deref(),
        Some("1")
    );
    let event = event_of(|| drop(shown(vec![1, 2])));
    assert_eq!(input(&event, "value").as_deref(), Some("[1, 2]"));
    let event = event_of(|| {
        bare(Opaque);
    });
    assert!(input(&event, "value").is_some_and(|name| name.ends_with("::Opaque")));
}

#[honeyhive::trace]
fn evens(below: u32, step: impl Fn(u32) -> u32) -> impl Iterator<Item = u32> {
    (0..below).map(step)
}

#[honeyhive::trace]
fn perhaps(below: u32) -> Result<impl Iterator<Item = u32> + Clone, Box<dyn std::error::Error>> {
    if below == 0 {
        return Err("none".into());
    }
    Ok(0..below)
}

#[test]
fn impl_trait_stays_what_it_is() {
    let event = event_of(|| assert_eq!(evens(3, |n| n * 2).sum::<u32>(), 6));
    assert_eq!(input(&event, "below").as_deref(), Some("3"));
    assert!(output(&event).is_some());
    event_of(|| assert_eq!(perhaps(3).expect("some").count(), 3));
    let event = event_of(|| assert!(perhaps(0).is_err()));
    assert_eq!(event.error.as_deref(), Some("none"));
}

struct Counter(u32);

impl Counter {
    #[honeyhive::trace]
    fn new(start: u32) -> Self {
        Self(start)
    }

    #[honeyhive::trace]
    fn add(&mut self, more: u32) -> &mut Self {
        self.0 += more;
        self
    }

    #[honeyhive::trace]
    fn value(&self) -> &u32 {
        &self.0
    }

    #[honeyhive::trace]
    fn into_value(self) -> u32 {
        self.0
    }
}

#[test]
fn methods_borrow_and_consume_as_before() {
    let (_tracer, captured, session) = session();
    session.in_scope(|| {
        let mut counter = Counter::new(1);
        counter.add(2).add(3);
        assert_eq!(*counter.value(), 6);
        assert_eq!(counter.into_value(), 6);
    });
    let session = captured.only_session();
    assert_eq!(session.events.len(), 5);
    assert_eq!(input(session.event("add"), "more").as_deref(), Some("2"));
    assert_eq!(input(session.event("add"), "self"), None);
    assert_eq!(output(session.event("value")).as_deref(), Some("6"));
}

trait Speak {
    fn speak(&self, word: &str) -> String;

    #[honeyhive::trace]
    fn twice(&self, word: &str) -> String {
        self.speak(word) + &self.speak(word)
    }
}

impl Speak for Counter {
    #[honeyhive::trace(event_type = "tool")]
    fn speak(&self, word: &str) -> String {
        format!("{word}{}", self.0)
    }
}

#[test]
fn trait_methods_are_functions_too() {
    let (_tracer, captured, session) = session();
    assert_eq!(session.in_scope(|| Counter(1).twice("a")), "a1a1");
    captured.only_session().assert_tree(
        "session
           twice [chain]
             speak [tool]
             speak [tool]",
    );
}

#[honeyhive::trace]
fn patterns((left, right): (u8, u8), [first, ..]: [u8; 3], _: u8, mut own: Vec<u8>) -> usize {
    own.push(left + right + first);
    own.len()
}

#[test]
fn patterns_are_recorded_by_the_names_they_bind() {
    let event = event_of(|| assert_eq!(patterns((1, 2), [3, 4, 5], 6, vec![7]), 2));
    let inputs: Vec<_> = ["left", "right", "first", "own.0"]
        .iter()
        .map(|name| input(&event, name))
        .collect();
    let expected = ["1", "2", "3", "7"].map(|text| Some(text.to_owned()));
    assert_eq!(inputs, expected);
}
