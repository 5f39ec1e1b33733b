//! [`test_mode`] records as ever, but nothing leaves.

use honeyhive::{BuildError, HoneyHiveTracer, SessionId};

/// Makes a session and a span of a tracer in test mode: no key, no HoneyHive, no network.
///
/// # Errors
///
/// Where the tracer cannot be made.
pub fn test_mode() -> Result<SessionId, BuildError> {
    let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
    let session = tracer.create_session("a test");
    session.in_scope(|| drop(tracer.span("some work").start()));
    Ok(session.id())
}
