//! [`Flushed`] is the result of a flush.

use crate::error::FlushError;
use crate::report::FlushReport;

/// A flush or a shutdown is answered with a report or an error.
pub(crate) type Flushed = Result<FlushReport, FlushError>;
