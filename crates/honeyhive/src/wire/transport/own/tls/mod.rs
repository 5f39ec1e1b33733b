//! [`Tls`]: who speaks TLS over a connection, and who is trusted.

#[cfg(any(
    feature = "native-tls",
    feature = "rustls",
    feature = "rustls-aws-lc-rs"
))]
mod authorities;
#[cfg(feature = "native-tls")]
mod native;
#[cfg(not(any(
    feature = "native-tls",
    feature = "rustls",
    feature = "rustls-aws-lc-rs"
)))]
mod none;
#[cfg(all(
    any(feature = "rustls", feature = "rustls-aws-lc-rs"),
    not(feature = "native-tls")
))]
mod rustls;

#[cfg(feature = "native-tls")]
use self::native as chosen;
#[cfg(not(any(
    feature = "native-tls",
    feature = "rustls",
    feature = "rustls-aws-lc-rs"
)))]
use self::none as chosen;
#[cfg(all(
    any(feature = "rustls", feature = "rustls-aws-lc-rs"),
    not(feature = "native-tls")
))]
use self::rustls as chosen;

pub(super) use self::chosen::{HAS_TLS, Secured, SecuredStream, Tls, unsecured};
