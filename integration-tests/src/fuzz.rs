//! Random inputs try a property for as long as somebody wants to wait: `HH_FUZZ_SECONDS` a property, else a moment.

use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// A property is tried for this time by default.
const A_MOMENT: Duration = Duration::from_millis(500);
/// So many inputs come between two looks at the clock.
const ROUND: u32 = 100;

/// Tries a property with random inputs until its time is over.
///
/// # Panics
///
/// At the first input that the property does not hold for, made as small as it gets.
#[expect(clippy::print_stdout, reason = "it is for whoever runs the tests")]
pub fn holds<S>(inputs: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S: Strategy<Value: std::fmt::Debug>,
{
    let budget = budget();
    let began = Instant::now();
    let config = Config {
        cases: ROUND,
        failure_persistence: None,
        ..Config::default()
    };
    let mut tried = 0_u64;
    while tried == 0 || began.elapsed() < budget {
        // A runner is done with its cases for good, so each round has one, with random numbers of its own.
        match TestRunner::new(config.clone()).run(inputs, &property) {
            Ok(()) => tried += u64::from(ROUND),
            Err(TestError::Fail(why, input)) => panic!("after {tried} inputs: {why}: {input:#?}"),
            Err(TestError::Abort(why)) => panic!("after {tried} inputs: {why}"),
        }
    }
    println!("{tried} inputs in {:.0?}", began.elapsed());
}

fn budget() -> Duration {
    let seconds = std::env::var("HH_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    seconds.map_or(A_MOMENT, Duration::from_secs)
}
