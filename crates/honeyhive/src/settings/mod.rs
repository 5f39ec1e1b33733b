//! Settings are resolved once: explicit > environment > default, from one table of names.

mod choices;
mod client;
mod environment;
#[cfg(feature = "client")]
mod found;
mod keys;
#[cfg(not(feature = "spool"))]
mod no_spool;
mod resolve;
#[cfg(feature = "spool")]
mod spool;
mod url;
mod variables;
mod without_effect;

pub(crate) use choices::Encoding;
pub use choices::{DropPolicy, OtlpCompression, OtlpProtocol, SessionTransport};
pub(crate) use client::GivenClient;
#[cfg(feature = "client")]
pub(crate) use found::Given;
#[cfg(feature = "client")]
pub use found::{FoundSetting, SettingOrigin};
pub(crate) use keys::Keys;
#[cfg(not(feature = "spool"))]
pub(crate) use no_spool::Spool;
#[cfg(feature = "client")]
pub(crate) use resolve::Needs;
pub(crate) use resolve::{Explicit, Settings};
#[cfg(feature = "spool")]
pub use spool::Spool;
