//! The layer makes every invocation of a Lambda function a HoneyHive session; it wraps a service of [`lambda_runtime`].

mod future;
mod handler;
mod layer;
mod service;

pub use future::LambdaFuture;
pub use handler::{LambdaHandler, LambdaHandlerError, LambdaHandlerFuture};
pub use layer::LambdaLayer;
pub use service::LambdaService;
