//! What happens to records before they are open: whose they are, and whether their session is in the sample.

mod labels;
mod sample;

pub(super) use labels::{Labels, session_of};
pub(super) use sample::{Held, Hint, Sampler};
