//! The fault harness makes everything go wrong that can between the SDK and HoneyHive.
//!
//! What HoneyHive answers is `honeyhive-local`'s to get wrong ([`honeyhive_local::Fault`]); what happens to the
//! bytes on their way is a [`FaultProxy`]'s. The [`table`] says of each fault what is tried again, what becomes
//! of the telemetry and what the log says; an [`Auditor`] reads the counts all the while.

mod audit;
mod certificates;
mod footprint;
mod loopback;
mod proxy;
mod random;
pub mod table;
mod tls;
mod traffic;

pub use audit::{Auditor, balance};
pub use certificates::{Authority, Identity};
pub use footprint::Footprint;
pub use proxy::{Cut, FaultProxy};
pub use random::{at_random, seed};
pub use tls::{ConnectProxy, Gateway, RefusingProxy, TlsFront};
pub use traffic::{Service, TURNS, Traffic};
