//! Stands for `tracing_layer`, where the feature `tracing` is off.

use super::HoneyHiveTracer;
use crate::missing::FeatureTracing;

impl HoneyHiveTracer {
    /// Says which feature is missing.
    #[doc(hidden)]
    pub fn tracing_layer<L>(&self) -> L
    where
        for<'never> Self: FeatureTracing,
    {
        unreachable!("nothing has the trait")
    }
}
