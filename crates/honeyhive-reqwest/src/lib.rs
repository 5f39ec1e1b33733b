#![doc = include_str!("../README.md")]

mod middleware;

pub use middleware::ModelCalls;
