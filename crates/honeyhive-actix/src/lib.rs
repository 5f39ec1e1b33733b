#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod current_session;
mod feedback;
mod future;
mod headers;
mod middleware;
mod routes;
mod settings;

pub use body::ResponseBody;
pub use current_session::CurrentSession;
pub use feedback::feedback;
pub use future::ResponseFuture;
pub use honeyhive::http::ServerInstrumentation;
pub use middleware::{HoneyHive, HoneyHiveMiddleware};
