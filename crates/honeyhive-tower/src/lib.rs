#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "axum")]
mod current_session;
mod feedback;
mod future;
mod headers;
#[cfg(feature = "lambda")]
mod lambda;
mod layer;
mod service;
mod service_error;
mod settings;

pub use body::ResponseBody;
#[cfg(feature = "client")]
pub use client::{Propagate, PropagateLayer};
#[cfg(feature = "axum")]
pub use current_session::CurrentSession;
pub use feedback::{FeedbackFuture, FeedbackService, feedback_routes};
pub use future::ResponseFuture;
pub use honeyhive::http::ServerInstrumentation;
#[cfg(feature = "lambda")]
pub use lambda::{
    LambdaFuture, LambdaHandler, LambdaHandlerError, LambdaHandlerFuture, LambdaLayer,
    LambdaService,
};
pub use layer::HoneyHiveLayer;
pub use service::HoneyHiveService;
