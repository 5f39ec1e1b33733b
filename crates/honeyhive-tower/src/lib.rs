#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
#[cfg(feature = "axum")]
mod current_session;
mod future;
mod headers;
mod layer;
mod service;

pub use body::ResponseBody;
#[cfg(feature = "axum")]
pub use current_session::{CurrentSession, CurrentSessionRejection};
pub use future::ResponseFuture;
pub use layer::HoneyHiveLayer;
pub use service::HoneyHiveService;
