//! Recorded requests are kept in memory, oldest first: they tell what this process was asked, and writing each body to
//! disk a second time would halve what can be taken in.

use std::collections::VecDeque;

use crate::config::Limits;
use crate::json;
use crate::model::RecordedRequest;

#[derive(Debug)]
pub(crate) struct Requests {
    held: VecDeque<RecordedRequest>,
    bytes: usize,
    /// Numbers are not used again after a clear: a call from before may still be answered.
    last_sequence: u64,
    total: u64,
    dropped: u64,
    under_way: usize,
    most_under_way: usize,
    limits: Limits,
}

impl Requests {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            held: VecDeque::new(),
            bytes: 0,
            last_sequence: 0,
            total: 0,
            dropped: 0,
            under_way: 0,
            most_under_way: 0,
            limits,
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self {
            last_sequence: self.last_sequence,
            under_way: self.under_way,
            most_under_way: self.under_way,
            ..Self::new(self.limits)
        };
    }

    /// Numbers and keeps a request; returns its number.
    pub(crate) fn record(&mut self, mut request: RecordedRequest) -> u64 {
        self.total += 1;
        self.last_sequence += 1;
        request.sequence = self.last_sequence;
        self.under_way += 1;
        self.most_under_way = self.most_under_way.max(self.under_way);
        self.bytes += weight(&request);
        self.held.push_back(request);
        self.make_room();
        self.last_sequence
    }

    /// Notes the status of an answer, if the request is still held.
    pub(crate) fn answered(&mut self, sequence: u64, status: u16) {
        let first = self.held.front().map_or(0, |request| request.sequence);
        let Some(index) = sequence.checked_sub(first) else {
            return;
        };
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(request) = self.held.get_mut(index) {
            request.status = Some(status);
        }
    }

    /// Notes that a request is answered, or will never be.
    pub(crate) fn ended(&mut self) {
        self.under_way -= 1;
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.most_under_way
    }

    pub(crate) fn snapshot(&self) -> Vec<RecordedRequest> {
        self.held.iter().map(read).collect()
    }

    /// Returns the request of this number, if it is still held.
    pub(crate) fn get(&self, sequence: u64) -> Option<RecordedRequest> {
        let first = self.held.front()?.sequence;
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.held.get(index).map(read)
    }

    /// Returns the newest requests that came before the one of this number, newest first, without their bodies as JSON.
    pub(crate) fn newest(&self, before: Option<u64>, most: usize) -> Vec<RecordedRequest> {
        let before = before.unwrap_or(u64::MAX);
        let newest = self.held.iter().rev();
        let newest = newest.skip_while(|request| request.sequence >= before);
        newest.take(most).cloned().collect()
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn make_room(&mut self) {
        while self.is_over() {
            let Some(oldest) = self.held.pop_front() else {
                return;
            };
            self.bytes -= weight(&oldest);
            self.dropped += 1;
        }
    }

    fn is_over(&self) -> bool {
        self.held.len() > self.limits.requests || self.bytes > self.limits.request_bytes
    }
}

/// Returns the bytes that a request costs while it is held.
fn weight(request: &RecordedRequest) -> usize {
    const FIXED: usize = 256;
    let headers = request.headers.iter();
    let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    FIXED
        + headers
        + request.path.len()
        + request.query.as_ref().map_or(0, String::len)
        + request.body.len()
}

/// Returns a request with its body as JSON, which is made when somebody asks: it takes many times the body's room.
fn read(request: &RecordedRequest) -> RecordedRequest {
    RecordedRequest {
        json: json::parse(&request.body).ok(),
        ..request.clone()
    }
}
