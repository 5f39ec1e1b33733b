//! What a setting can be, where that is one of a few.

use std::str::FromStr;

use crate::error::UnknownName;

/// How sessions reach HoneyHive.
///
/// ```
/// use honeyhive::{HoneyHiveTracer, SessionTransport};
///
/// let settings = HoneyHiveTracer::builder().session_transport(SessionTransport::Otlp);
/// # drop(settings);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SessionTransport {
    /// One REST call for a short session, two for a longer one (the default).
    #[default]
    Rest,
    /// No REST call: spans ask ingestion to create their session, and every request gets a span that
    /// carries its inputs and outputs. The way to scale out, through an OpenTelemetry Collector.
    /// Enrichments that a program makes by hand still go over REST.
    Otlp,
}

/// How spans are encoded.
///
/// ```
/// use honeyhive::{HoneyHiveTracer, OtlpProtocol};
///
/// let settings = HoneyHiveTracer::builder().otlp_protocol(OtlpProtocol::HttpProtobuf);
/// # drop(settings);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OtlpProtocol {
    /// `http/protobuf` (the default).
    #[default]
    HttpProtobuf,
    /// `http/json`. It needs the feature `http-json`; [`build`](crate::HoneyHiveTracerBuilder::build) fails without.
    HttpJson,
}

impl FromStr for OtlpProtocol {
    type Err = UnknownName;

    /// Takes `http/protobuf` and `http/json`, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "http/protobuf" => Ok(Self::HttpProtobuf),
            "http/json" => Ok(Self::HttpJson),
            _ => Err(UnknownName::expected("`http/protobuf` or `http/json`")),
        }
    }
}

/// What is left of [`OtlpProtocol`] when it has been resolved: what this build can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    #[cfg(feature = "http-json")]
    Json,
}

impl Encoding {
    #[cfg(feature = "client")]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "http/protobuf",
            #[cfg(feature = "http-json")]
            Self::Json => "http/json",
        }
    }
}

/// What is dropped where more is pending than may be.
///
/// ```
/// use honeyhive::{HoneyHiveTracer, DropPolicy};
///
/// let settings = HoneyHiveTracer::builder().drop_policy(DropPolicy::Oldest);
/// # drop(settings);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DropPolicy {
    /// What comes finds no room (the default): what is told of the beginning of an outage is kept.
    #[default]
    Newest,
    /// What has waited longest makes room: what is told of the end of an outage is kept.
    ///
    /// The delivery thread gives it up, so that no request does: from seven eighths of either bound on, down to
    /// three quarters of it. Only what comes before it has got to that, once the bound itself is reached, is
    /// dropped as with [`Newest`](Self::Newest).
    Oldest,
}

impl DropPolicy {
    #[cfg(feature = "client")]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }
}

impl FromStr for DropPolicy {
    type Err = UnknownName;

    /// Takes `newest` and `oldest`, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "newest" => Ok(Self::Newest),
            "oldest" => Ok(Self::Oldest),
            _ => Err(UnknownName::expected("`newest` or `oldest`")),
        }
    }
}

/// How spans are compressed on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OtlpCompression {
    /// With gzip, as long as the server takes it (the default): where it answers a compressed body with 400 or 415,
    /// the same spans go uncompressed, and where that helps so do all others of this process.
    #[default]
    Auto,
    /// With gzip, whatever the server says.
    Gzip,
    /// Not at all.
    None,
}

impl OtlpCompression {
    #[cfg(feature = "client")]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Gzip => "gzip",
            Self::None => "none",
        }
    }
}

impl FromStr for OtlpCompression {
    type Err = UnknownName;

    /// Takes `auto`, `gzip` and `none`, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "gzip" => Ok(Self::Gzip),
            "none" => Ok(Self::None),
            _ => Err(UnknownName::expected("`gzip`, `none` or `auto`")),
        }
    }
}
