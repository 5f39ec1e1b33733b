//! Some settings are one of a few values.

use std::str::FromStr;

use crate::error::UnknownName;

/// Sessions reach HoneyHive in one of these ways.
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
    /// A short session takes one REST call, a longer one two (the default).
    #[default]
    Rest,
    /// No REST call is made: spans ask ingestion to create their session, and every request gets a span that carries
    /// its inputs and outputs. This way scales out, through an OpenTelemetry Collector. Enrichments that a program
    /// makes itself still go over REST.
    Otlp,
}

/// Spans have one of these encodings.
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
    /// The encoding is `http/protobuf` (the default).
    #[default]
    HttpProtobuf,
    /// The encoding is `http/json`. [`build`](crate::HoneyHiveTracerBuilder::build) fails without the feature
    /// `http-json`.
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

/// A resolved [`OtlpProtocol`] stands for one of the encodings of this build.
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

/// The policy decides what a full queue drops.
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
    /// New items are dropped (the default): the beginning of an outage is kept.
    #[default]
    Newest,
    /// The oldest items are dropped: the end of an outage is kept.
    ///
    /// The delivery thread drops them, so that no request has to: from seven eighths of either bound on, down to three
    /// quarters of it. Items that arrive before that, once the bound itself is reached, are dropped as with
    /// [`Newest`](Self::Newest).
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

/// Spans are compressed on their way in one of these ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OtlpCompression {
    /// Gzip compresses, as long as the server takes it (the default): where it answers a compressed body with 400 or
    /// 415, the same spans go uncompressed, and if that helps, all later ones of this process do, too.
    #[default]
    Auto,
    /// Gzip compresses, whatever the server answers.
    Gzip,
    /// Nothing is compressed.
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
