//! The invocations of a Lambda function are HoneyHive sessions, in two ways: with the layer, and by hand.
//!
//! [`function`] is what the function does, [`layered`] and [`by_hand`] are the two ways to run it. The rest
//! is for a machine without Lambda: [`runtime_api`] stands in for Lambda's runtime API, and [`machine`] runs
//! everything together.

pub mod by_hand;
pub mod function;
pub mod layered;
pub mod machine;
pub mod runtime_api;
mod tracer;

use std::str::FromStr;

pub use tracer::tracer;

/// A `Way` says how the function makes its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `honeyhive_tower::LambdaLayer` makes the sessions.
    Layer,
    /// The handler makes the sessions.
    ByHand,
}

impl Way {
    /// Returns the name on the command line, and as the function's handler (`_HANDLER`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Layer => "layer",
            Self::ByHand => "by-hand",
        }
    }
}

impl FromStr for Way {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Layer, Self::ByHand]
            .into_iter()
            .find(|way| way.name() == name)
            .ok_or_else(|| format!("{name:?} is neither `layer` nor `by-hand`"))
    }
}

/// Runs the function on Lambda, or on what stands in for Lambda.
///
/// # Errors
///
/// Where the runtime API does not answer.
pub async fn run(way: Way) -> Result<(), lambda_runtime::Error> {
    match way {
        Way::Layer => layered::run().await,
        Way::ByHand => by_hand::run().await,
    }
}
