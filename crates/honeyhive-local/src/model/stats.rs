//! Counters of everything that the server keeps.

use serde::Serialize;

/// Counts, cheap to ask for while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct LocalStats {
    /// Sessions held.
    pub sessions: usize,
    /// Events held, without orphans.
    pub events: usize,
    /// Orphans held.
    pub orphans: usize,
    /// Updates that wait for a session or an event that has not come yet.
    pub pending_updates: usize,
    /// The bytes that sessions, events and records take, about.
    pub bytes: u64,
    /// Requests since the start or the last clear, dropped ones included.
    pub requests: u64,
    /// Requests that are being answered.
    pub under_way: usize,
    /// The most requests that were being answered at a time, since the start or the last clear.
    pub most_under_way: usize,
    /// Data points of OTLP metrics, which are answered and not kept.
    pub data_points: u64,
    /// Records of OTLP logs, which are answered and not kept.
    pub log_records: u64,
    /// Sessions dropped to stay within the limit.
    pub dropped_sessions: u64,
    /// Events and orphans dropped to stay within a limit.
    pub dropped_events: u64,
    /// Updates dropped because their target never came.
    pub dropped_updates: u64,
    /// Requests dropped to stay within a limit.
    pub dropped_requests: u64,
}
