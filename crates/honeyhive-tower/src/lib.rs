#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod current_session;
mod future;
mod headers;
mod layer;
mod service;

pub use body::ResponseBody;
pub use current_session::CurrentSession;
#[cfg(feature = "axum")]
pub use current_session::extract::CurrentSessionRejection;
pub use future::ResponseFuture;
pub use layer::HoneyHiveLayer;
pub use service::HoneyHiveService;
