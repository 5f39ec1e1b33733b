//! [`Flushed`]: what a flush has come to.

use crate::error::FlushError;
use crate::report::FlushReport;

/// The answer of a flush or a shutdown.
pub(crate) type Flushed = Result<FlushReport, FlushError>;
