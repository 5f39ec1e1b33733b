//! [`HoneyHiveLayer`] makes every request a session.

use std::sync::Arc;

use honeyhive::HoneyHiveTracer;
use honeyhive::http::{ServerInstrumentation, ServerInstrumentationBuilder};
use tower_layer::Layer;

use crate::HoneyHiveService;
use crate::settings::Settings;

/// The layer makes every request of the wrapped service a HoneyHive session; see the [crate docs](crate).
///
/// ```
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive_tower::HoneyHiveLayer;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let layer = HoneyHiveLayer::new(tracer.clone());
/// // or, with settings:
/// let layer = HoneyHiveLayer::builder(tracer)
///     .skip(|request| request.path() == "/internal")
///     .build()?;
/// # drop(layer);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[doc(alias = "session_middleware")]
#[doc(alias = "middleware")]
#[derive(Debug, Clone)]
pub struct HoneyHiveLayer {
    settings: Arc<Settings>,
}

impl HoneyHiveLayer {
    /// Returns a layer with the default settings.
    #[must_use]
    pub fn new(tracer: HoneyHiveTracer) -> Self {
        ServerInstrumentation::new(tracer).into()
    }

    /// Returns a builder of a layer with settings of its own.
    pub fn builder(tracer: HoneyHiveTracer) -> ServerInstrumentationBuilder<Self> {
        ServerInstrumentationBuilder::new(tracer)
    }

    /// Makes the text that a response streams to its user the outputs of the session (feature `model-calls`; default
    /// `false`); see [`ServerInstrumentation::capture_stream`].
    ///
    /// ```
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let layer = honeyhive_tower::HoneyHiveLayer::new(tracer).capture_stream(true);
    /// # drop(layer);
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    #[cfg(feature = "model-calls")]
    #[must_use]
    pub fn capture_stream(self, captures: bool) -> Self {
        self.settings
            .instrumentation
            .clone()
            .capture_stream(captures)
            .into()
    }
}

impl From<ServerInstrumentation> for HoneyHiveLayer {
    fn from(instrumentation: ServerInstrumentation) -> Self {
        Self {
            settings: Arc::new(Settings::new(instrumentation)),
        }
    }
}

impl<S> Layer<S> for HoneyHiveLayer {
    type Service = HoneyHiveService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HoneyHiveService {
            inner,
            settings: Arc::clone(&self.settings),
        }
    }
}
