//! The authorities of the settings.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::error::BuildError;
use crate::settings::Settings;

/// Those that are trusted besides the platform's.
pub(super) fn authorities(settings: &Settings) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let Some(pem) = settings.ca_certificate.as_deref() else {
        return Ok(Vec::new());
    };
    let given = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match given {
        Ok(given) if !given.is_empty() => Ok(given),
        _ => Err(BuildError::InvalidValue {
            setting: "`.ca_certificate(..)`".into(),
            expected: "certificates as PEM",
        }),
    }
}
