//! Sessions have a beginning, a handle, and a context in which one is current.

mod create;
pub(crate) mod current;
mod handle;
mod new_session;
mod scope;
#[cfg(feature = "signed-ids")]
mod signed;
pub(crate) mod spent;
mod startup;
pub(crate) mod suppression;
mod trust;

pub use create::CreateSession;
pub use handle::{Moved, Session};
pub use new_session::NewSession;
pub use scope::SessionGuard;
#[cfg(feature = "signed-ids")]
pub use signed::SigningKeys;
pub(crate) use startup::StartupSession;
pub use trust::SessionTrust;
pub(crate) use trust::Trusts;
