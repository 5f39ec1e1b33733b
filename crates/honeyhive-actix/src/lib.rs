#![doc = include_str!("../README.md")]

mod body;
mod current_session;
mod future;
mod headers;
mod middleware;
mod settings;

pub use body::ResponseBody;
pub use current_session::{CurrentSession, CurrentSessionRejection};
pub use future::ResponseFuture;
pub use middleware::{HoneyHive, HoneyHiveMiddleware};
