//! The program measures one variant at a time for `benches/run`.

#![expect(
    clippy::print_stdout,
    reason = "a program that prints its measurements"
)]

use std::process::ExitCode;

use crate::Work;
use crate::timing::Comparison;

/// The program makes this number of requests before anything is measured.
const WARM_UP: u32 = 200;

/// Runs `list`, `count VARIANT REQUESTS` (under a tool that counts instructions; a build with the feature `allocations`
/// prints the allocations a request) or `time VARIANT`.
pub fn run(
    variants: impl Iterator<Item = &'static str>,
    find: impl Fn(&str) -> Option<Work>,
) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["list"] => {
            variants.for_each(|variant| println!("{variant}"));
            Some(())
        }
        ["count", variant, requests] => count(&find, variant, requests),
        ["time", variant] => time(&find, variant),
        _ => None,
    };
    match done {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::from(2),
    }
}

fn count(find: &impl Fn(&str) -> Option<Work>, variant: &str, requests: &str) -> Option<()> {
    let requests = requests.parse().ok()?;
    let mut work = find(variant)?;
    work(WARM_UP);
    println!("{:.1}", allocations(requests, || work(requests)));
    Some(())
}

fn time(find: &impl Fn(&str) -> Option<Work>, variant: &str) -> Option<()> {
    let bare = format!("{}_bare", variant.split('_').next()?);
    let (mut bare, mut other) = (find(&bare)?, find(variant)?);
    bare(WARM_UP);
    other(WARM_UP);
    println!("{}", Comparison::of(&mut bare, &mut other));
    Some(())
}

/// Returns the allocations a request.
#[cfg(feature = "allocations")]
fn allocations(requests: u32, work: impl FnOnce()) -> f64 {
    allocation_counter::measure(work).count_total as f64 / f64::from(requests)
}

#[cfg(not(feature = "allocations"))]
fn allocations(_: u32, work: impl FnOnce()) -> f64 {
    work();
    0.0
}
