//! Sessions and events carry seven objects, the buckets.

use super::Object;

/// A `Bucket` names one of the seven objects that sessions and events carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    Inputs,
    Outputs,
    Metadata,
    Metrics,
    Feedback,
    Config,
    UserProperties,
}

impl Bucket {
    pub(crate) const ALL: [Self; 7] = [
        Self::Inputs,
        Self::Outputs,
        Self::Metadata,
        Self::Metrics,
        Self::Feedback,
        Self::Config,
        Self::UserProperties,
    ];

    /// Returns the bucket's name in JSON and, after `honeyhive_`, in span attributes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
            Self::Metadata => "metadata",
            Self::Metrics => "metrics",
            Self::Feedback => "feedback",
            Self::Config => "config",
            Self::UserProperties => "user_properties",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.name() == name)
    }
}

/// `Buckets` is implemented by types that carry the seven objects.
pub(crate) trait Buckets {
    fn bucket_mut(&mut self, bucket: Bucket) -> &mut Object;
}
