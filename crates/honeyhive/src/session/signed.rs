//! [`SigningKeys`] sign session ids, as only the service can.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Session;
use crate::error::BuildError;
use crate::model::id::{EventId, SessionId};

/// The keys sign the ids of sessions that a service gives out, and recognise them.
///
/// A signed id is one text of 91 characters for headers, cookies, bodies and WebSockets: the id, the second at which it
/// expires, and an HMAC-SHA256 over both as base64url, `9f3b…9b11.1798761600.3Zk…`. Two services that are given the
/// same keys take each other's ids. Signatures are compared in constant time; the keys are in no `Debug`, log or error.
///
/// [`SessionTrust::signed`](crate::SessionTrust::signed) lets a server take no other ids. To sign and to check by hand:
///
/// ```
/// use honeyhive::SigningKeys;
///
/// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
/// # let (new, old) = ([7; 32], [8; 32]);
/// let keys = SigningKeys::new(new)?.also_accept(old)?;
/// let session = tracer.create_session("support-chat");
/// let text = session.signed_id(&keys);
/// assert_eq!(keys.verify(&text), Some(session.id()));
/// assert_eq!(keys.verify(&session.id().to_string()), None);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Clone)]
pub struct SigningKeys {
    /// The first key signs; the further ones are accepted.
    keys: Arc<[Hmac<Sha256>]>,
    tenant: Option<Arc<str>>,
    valid_for: Duration,
}

/// A signature is valid for this time by default: sessions are conversations, to which people come back.
const THIRTY_DAYS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The purpose begins the signed bytes, so that a signature for one purpose does not hold for another.
type Purpose = &'static [u8];
const SESSION: Purpose = b"honeyhive session id\0";
const EVENT: Purpose = b"honeyhive event id\0";

impl SigningKeys {
    /// A key has at least this many bytes, as many as the hash.
    pub const SHORTEST: usize = 32;

    /// Returns keys of one that signs: at least 32 random bytes, such as the output of `openssl rand -base64 32`.
    ///
    /// # Errors
    ///
    /// A key of fewer bytes is a [`BuildError::InvalidValue`].
    pub fn new(key: impl AsRef<[u8]>) -> Result<Self, BuildError> {
        Ok(Self {
            keys: Arc::new([keyed(key.as_ref())?]),
            tenant: None,
            valid_for: THIRTY_DAYS,
        })
    }

    /// Adds a key that is accepted and does not sign any more. To change keys: accept the new one everywhere, then sign
    /// with it and accept the old one, then leave the old one out once all that it signed has expired.
    ///
    /// # Errors
    ///
    /// The errors are those of [`new`](Self::new).
    pub fn also_accept(mut self, key: impl AsRef<[u8]>) -> Result<Self, BuildError> {
        let mut keys = self.keys.to_vec();
        keys.push(keyed(key.as_ref())?);
        self.keys = keys.into();
        Ok(self)
    }

    /// Sets the time for which a signed id is valid, in whole seconds (default 30 days). Every response signs anew.
    #[must_use]
    pub fn valid_for(mut self, duration: Duration) -> Self {
        self.valid_for = duration;
        self
    }

    /// Returns the same keys for one tenant: an id that was signed for one is taken for no other.
    ///
    /// For a server there is [`session_tenant`](crate::http::ServerInstrumentationBuilder::session_tenant).
    #[must_use]
    pub fn for_tenant(&self, tenant: &str) -> Self {
        let mut keys = self.clone();
        keys.tenant = Some(tenant.into());
        keys
    }

    /// Returns the id as signed text, for [`verify`](Self::verify).
    #[must_use]
    pub fn sign(&self, id: SessionId) -> String {
        self.sign_at(SESSION, id, SystemTime::now())
    }

    /// Returns the id in this text, if one of the keys has signed it, for this tenant, and it has not expired.
    #[must_use]
    pub fn verify(&self, text: &str) -> Option<SessionId> {
        self.verify_at(SESSION, text, SystemTime::now())
    }

    /// Returns the id of an event as signed text, for a client that may rate it later: the signature of a session's id
    /// does not hold for an event.
    #[must_use]
    pub fn sign_event(&self, id: EventId) -> String {
        self.sign_at(EVENT, id.as_session(), SystemTime::now())
    }

    /// Does the same as [`verify`](Self::verify) for a text of [`sign_event`](Self::sign_event).
    #[must_use]
    pub fn verify_event(&self, text: &str) -> Option<EventId> {
        let id = self.verify_at(EVENT, text, SystemTime::now())?;
        Some(id.into())
    }

    fn sign_at(&self, purpose: Purpose, id: SessionId, now: SystemTime) -> String {
        let expiry = seconds(now).saturating_add(self.valid_for.as_secs());
        let signature = self
            .mac(&self.keys[0], purpose, id, expiry)
            .finalize()
            .into_bytes();
        format!("{id}.{expiry}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn verify_at(&self, purpose: Purpose, text: &str, now: SystemTime) -> Option<SessionId> {
        let (id, rest) = text.split_once('.')?;
        let (expiry, signature) = rest.split_once('.')?;
        let id = id.parse().ok()?;
        let expiry = decimal(expiry)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let is_signed = |key| {
            let mac = self.mac(key, purpose, id, expiry);
            mac.verify_slice(&signature).is_ok()
        };
        (self.keys.iter().any(is_signed) && seconds(now) < expiry).then_some(id)
    }

    /// Returns the code of these bytes: the parts of a known length come first, so that no two ids, expiries and
    /// tenants make the same bytes.
    fn mac(
        &self,
        key: &Hmac<Sha256>,
        purpose: Purpose,
        id: SessionId,
        expiry: u64,
    ) -> Hmac<Sha256> {
        let mut mac = key.clone();
        mac.update(purpose);
        mac.update(&id.to_bytes());
        mac.update(&expiry.to_be_bytes());
        if let Some(tenant) = &self.tenant {
            mac.update(b"tenant\0");
            mac.update(tenant.as_bytes());
        }
        mac
    }
}

fn keyed(key: &[u8]) -> Result<Hmac<Sha256>, BuildError> {
    let is_long = key.len() >= SigningKeys::SHORTEST;
    let keyed = is_long.then(|| Hmac::new_from_slice(key).ok()).flatten();
    keyed.ok_or_else(|| BuildError::InvalidValue {
        setting: "`SigningKeys`".into(),
        expected: "a key of at least 32 bytes that nobody can guess, such as what `openssl rand -base64 32` prints",
    })
}

fn seconds(time: SystemTime) -> u64 {
    // A clock before 1970 lets nothing expire.
    time.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs())
}

/// Parses a number as `sign` writes it: `parse` alone accepts a leading sign, too.
fn decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

impl Session {
    /// Returns the session's id as signed text, for a cookie, a body or a WebSocket: [`SigningKeys::verify`] gives the
    /// id back, for [`NewSession::existing`](crate::NewSession::existing) or [`Session::link_to`].
    #[must_use]
    pub fn signed_id(&self, keys: &SigningKeys) -> String {
        keys.sign(self.id())
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKeys")
            .field("keys", &self.keys.len())
            .field("tenant", &self.tenant)
            .field("valid_for", &self.valid_for)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11";

    fn keys(byte: u8) -> SigningKeys {
        SigningKeys::new([byte; 32]).unwrap()
    }

    fn id() -> SessionId {
        ID.parse().unwrap()
    }

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    #[test]
    fn a_signature_is_what_another_implementation_makes_of_the_same_bytes() {
        // Python gives: base64.urlsafe_b64encode(hmac.new(bytes([7])*32, b"honeyhive session id\0" +
        // uuid.UUID(ID).bytes + (1060).to_bytes(8, "big"), "sha256").digest()).rstrip(b"=")
        let keys = keys(7).valid_for(Duration::from_secs(60));
        let expected = format!("{ID}.1060.0sKWobtbuDVIGs-SO1NgmpnboqETszcK566Gvvl95Ag");
        assert_eq!(keys.sign_at(SESSION, id(), at(1000)), expected);
        // The signed bytes end with b"tenant\0acme".
        let expected = format!("{ID}.1060.IWzUR-N2AO0-l9rtHf5gslraHR4-_ZuTXhpZybkYHcI");
        assert_eq!(
            keys.for_tenant("acme").sign_at(SESSION, id(), at(1000)),
            expected
        );
    }

    #[test]
    fn an_id_is_taken_until_it_expires_from_any_accepted_key_and_for_its_tenant_only() {
        let minute = Duration::from_secs(60);
        let text = keys(7).valid_for(minute).sign_at(SESSION, id(), at(1000));
        let rotated = keys(8).also_accept([7; 32]).unwrap();
        for (name, keys, second, is_taken) in [
            ("at once", keys(7), 1000, true),
            ("in the last second", keys(7), 1059, true),
            ("expired", keys(7), 1060, false),
            ("by the old key", rotated.clone(), 1000, true),
            ("by another key", keys(8), 1000, false),
            ("for a tenant", keys(7).for_tenant("acme"), 1000, false),
            ("for an empty tenant", keys(7).for_tenant(""), 1000, false),
        ] {
            let verified = keys.verify_at(SESSION, &text, at(second));
            assert_eq!(verified, is_taken.then(id), "{name}");
        }
        let acme = rotated.for_tenant("acme");
        let text = acme.sign_at(SESSION, id(), at(1000));
        assert_eq!(acme.verify_at(SESSION, &text, at(1000)), Some(id()));
        for other in [rotated.clone(), rotated.for_tenant("acm")] {
            assert_eq!(other.verify_at(SESSION, &text, at(1000)), None);
        }
    }

    #[test]
    fn a_text_that_differs_in_any_character_is_not_taken() {
        let text = keys(7).sign_at(SESSION, id(), at(1000));
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(
                keys(7).verify_at(SESSION, &changed, at(1000)),
                None,
                "{changed}"
            );
        }
        let (signed, _) = text.rsplit_once('.').unwrap();
        for other in [
            "",
            ".",
            "..",
            ID,
            signed,
            &format!("{signed}."),
            &format!("{text}="),
            &format!("{text}."),
        ] {
            assert_eq!(
                keys(7).verify_at(SESSION, other, at(1000)),
                None,
                "{other:?}"
            );
        }
        let with_sign = text.replacen('.', ".+", 1);
        assert_eq!(keys(7).verify_at(SESSION, &with_sign, at(1000)), None);
    }

    #[test]
    fn an_id_of_a_session_is_none_of_an_event() {
        let event = EventId::from(id());
        let signed = keys(7).sign_event(event);
        assert_eq!(keys(7).verify_event(&signed), Some(event));
        assert_eq!(keys(7).verify(&signed), None);
        assert_eq!(keys(7).verify_event(&keys(7).sign(id())), None);
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_shown() {
        let error = SigningKeys::new([b'k'; 31]).unwrap_err().to_string();
        assert!(
            error.contains("32 bytes") && !error.contains("kkk"),
            "{error}"
        );
        assert!(keys(1).also_accept("short").is_err());
        let shown = format!("{:?}", SigningKeys::new([b'k'; 32]).unwrap());
        assert!(!shown.contains("kkk") && !shown.contains("107"), "{shown}");
    }
}
