//! Experiments run against `honeyhive-local` on real sockets: the tests look at what `evaluate` sends, at what its report
//! says, and at both where something goes wrong.

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "a function and an evaluator are given what is theirs"
)]

mod adapters;
mod cancelling;
mod delivering;
mod failing;
mod git;
mod identity;
mod isolation;
mod limits;
mod numbers;
mod offline;
mod refusing;
mod reporting;
mod rescoring;
mod resuming;
mod running;
mod runtimes;
mod scoped;
mod secrets;
mod stage;
mod trials;
