#![doc = include_str!("../README.md")]

mod body;
mod current_session;
mod future;
mod headers;
mod middleware;
mod routes;
mod settings;

pub use body::ResponseBody;
pub use current_session::CurrentSession;
pub use future::ResponseFuture;
pub use honeyhive::http::ServerInstrumentation;
pub use middleware::{HoneyHive, HoneyHiveMiddleware};
