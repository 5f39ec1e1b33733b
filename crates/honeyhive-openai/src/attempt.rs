//! [`replay`] hands out a request that has been built, and the others that may follow it.

use std::sync::{Arc, Mutex, PoisonError};

use async_openai::middleware::HttpRequestFactory;
use reqwest::Request;

use crate::ModelCalls;

/// Returns a factory that hands out `built` first: building a form once more would read its files again.
pub(crate) fn replay(
    built: Request,
    factory: HttpRequestFactory,
    settings: ModelCalls,
) -> HttpRequestFactory {
    let built = Arc::new(Mutex::new(Some(built)));
    HttpRequestFactory::new(move || {
        let first = built.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (factory, settings) = (factory.clone(), settings.clone());
        async move {
            if let Some(first) = first {
                return Ok(first);
            }
            let mut request = factory.build().await?;
            settings.prepare(&mut request);
            Ok(request)
        }
    })
}
