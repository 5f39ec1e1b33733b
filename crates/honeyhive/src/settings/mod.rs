//! Settings, resolved once: explicit > environment > default, from one table of names.

mod choices;
mod client;
mod environment;
mod keys;
mod resolve;
mod spool;
mod url;
mod variables;
mod without_effect;

pub(crate) use choices::Encoding;
pub use choices::{DropPolicy, OtlpCompression, OtlpProtocol, SessionTransport};
pub(crate) use client::GivenClient;
pub(crate) use resolve::{Explicit, Settings};
pub use spool::Spool;
