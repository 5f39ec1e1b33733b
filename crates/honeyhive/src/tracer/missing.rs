//! The methods of features that are off have stand-ins here: each fails to compile and names its feature.

use super::HoneyHiveTracer;
use crate::missing;

#[cfg(not(feature = "client"))]
impl HoneyHiveTracer {
    /// Fails to compile and names the missing feature.
    #[doc(hidden)]
    pub fn client<C>(&self) -> C
    where
        for<'never> Self: missing::FeatureClient,
    {
        unreachable!("nothing has the trait")
    }
}

#[cfg(not(feature = "metrics"))]
impl HoneyHiveTracer {
    /// Fails to compile and names the missing feature.
    #[doc(hidden)]
    pub fn record_metrics<M>(&self, _: M)
    where
        for<'never> Self: missing::FeatureMetrics,
    {
        unreachable!("nothing has the trait")
    }
}

#[cfg(not(feature = "model-calls"))]
impl HoneyHiveTracer {
    /// Fails to compile and names the missing feature.
    #[doc(hidden)]
    pub fn model_call<P, M, C>(&self, _: P, _: M) -> C
    where
        for<'never> Self: missing::FeatureModelCalls,
    {
        unreachable!("nothing has the trait")
    }
}

#[cfg(not(feature = "tracing"))]
impl HoneyHiveTracer {
    /// Fails to compile and names the missing feature.
    #[doc(hidden)]
    pub fn tracing_layer<L>(&self) -> L
    where
        for<'never> Self: missing::FeatureTracing,
    {
        unreachable!("nothing has the trait")
    }
}
