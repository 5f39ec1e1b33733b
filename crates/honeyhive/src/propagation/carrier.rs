//! [`HeadersMut`] takes the headers of an outgoing request.

use opentelemetry::propagation::Injector;

/// The trait takes the headers of [`Session::inject`](crate::Session::inject): a `HashMap<String, String>` and every
/// other OpenTelemetry [`Injector`], `http::HeaderMap` (reqwest, hyper, tonic), actix-web's map where `honeyhive-actix`
/// is in the program, pairs in a `Vec`, and a closure that takes a name and a value.
///
/// `Kind` tells the ways apart and is always inferred.
///
/// ```
/// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
/// # let session = tracer.create_session("support-chat");
/// let mut line = String::new();
/// session.inject(&mut |name: &'static str, value: &str| {
///     line.push_str(&format!("{name}: {value}\n")); // to whatever a message has for headers
/// });
/// assert!(line.starts_with("baggage: honeyhive.session_id="));
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
pub trait HeadersMut<Kind> {
    /// Sets a header in place of all that have this name, in lower case.
    fn set_header(&mut self, name: &'static str, value: &str);
}

/// The carrier is an OpenTelemetry [`Injector`].
#[derive(Debug)]
pub enum ByInjector {}

impl<I: Injector + ?Sized> HeadersMut<ByInjector> for I {
    fn set_header(&mut self, name: &'static str, value: &str) {
        self.set(name, value.to_owned());
    }
}

/// The carrier is the headers of the crate `http`.
#[derive(Debug)]
pub enum ByHttp {}

impl HeadersMut<ByHttp> for http::HeaderMap {
    fn set_header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = http::HeaderValue::from_str(value) {
            self.insert(http::HeaderName::from_static(name), value);
        }
    }
}

/// The carrier is a list of names and values.
#[derive(Debug)]
pub enum ByPairs {}

impl<N, V> HeadersMut<ByPairs> for Vec<(N, V)>
where
    N: AsRef<[u8]> + From<&'static str>,
    V: for<'v> From<&'v str>,
{
    fn set_header(&mut self, name: &'static str, value: &str) {
        let is_another = |other: &N| !other.as_ref().eq_ignore_ascii_case(name.as_bytes());
        self.retain(|(other, _)| is_another(other));
        self.push((name.into(), value.into()));
    }
}

/// The carrier is a closure that sets one header.
#[derive(Debug)]
pub enum ByCall {}

impl<F: FnMut(&'static str, &str)> HeadersMut<ByCall> for F {
    fn set_header(&mut self, name: &'static str, value: &str) {
        self(name, value);
    }
}
