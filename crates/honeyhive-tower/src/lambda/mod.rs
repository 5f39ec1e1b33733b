//! HoneyHive sessions for every invocation of a Lambda function: a layer for [`lambda_runtime`].

mod future;
mod handler;
mod layer;
mod service;

pub use future::LambdaFuture;
pub use handler::{LambdaHandler, LambdaHandlerError, LambdaHandlerFuture};
pub use layer::LambdaLayer;
pub use service::LambdaService;
