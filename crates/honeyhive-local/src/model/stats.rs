//! The server counts everything that it keeps.

use serde::Serialize;

/// `LocalStats` has counts that are cheap to ask for while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalStats {
    /// The number of sessions held.
    pub sessions: usize,
    /// The number of events held, without orphans.
    pub events: usize,
    /// The number of orphans held.
    pub orphans: usize,
    /// The number of updates that wait for a session or an event that has not come yet.
    pub pending_updates: usize,
    /// The bytes that sessions, events and records take, about.
    pub bytes: u64,
    /// The number of requests since the start or the last clear, dropped ones included.
    pub requests: u64,
    /// The number of requests that are being answered.
    pub under_way: usize,
    /// The most requests that were being answered at a time, since the start or the last clear.
    pub most_under_way: usize,
    /// The number of data points of OTLP metrics, which are answered and not kept.
    pub data_points: u64,
    /// The number of records of OTLP logs, which are answered and not kept.
    pub log_records: u64,
    /// The number of sessions dropped to stay within the limit.
    pub dropped_sessions: u64,
    /// The number of events and orphans dropped to stay within a limit.
    pub dropped_events: u64,
    /// The number of updates dropped because their target never came.
    pub dropped_updates: u64,
    /// The number of requests dropped to stay within a limit.
    pub dropped_requests: u64,
}
