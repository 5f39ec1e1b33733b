//! A stand-in for `tracing_layer`, where the feature `tracing` is off.

use super::HoneyHiveTracer;
use crate::missing::FeatureTracing;

impl HoneyHiveTracer {
    /// Fails to compile and names the missing feature.
    #[doc(hidden)]
    pub fn tracing_layer<L>(&self) -> L
    where
        for<'never> Self: FeatureTracing,
    {
        unreachable!("nothing has the trait")
    }
}
