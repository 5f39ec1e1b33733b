#![doc = include_str!("../README.md")]

mod arguments;
mod baselines;
mod bounded;
mod colour;
mod eval;
mod files;
mod junit;
mod outcome;
mod pages;
mod progress;
mod run;
mod signals;

pub use eval::Eval;
pub use run::run;
