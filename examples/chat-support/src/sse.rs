//! Reading `text/event-stream`.

use crate::error::UpstreamError;

/// No event of a model endpoint comes near this.
const LONGEST_EVENT: usize = 1024 * 1024;

/// Puts events together from bytes that come in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct EventReader {
    /// What came and was not read yet.
    pending: Vec<u8>,
    /// The data of the event that is being read, a line break after each line.
    data: String,
}

impl EventReader {
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), UpstreamError> {
        if self.pending.len() + self.data.len() + bytes.len() > LONGEST_EVENT {
            let problem = "an event is too long".to_owned();
            return Err(UpstreamError::Nonsense(problem));
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// The data of the next event that is there in full.
    pub(crate) fn next_event(&mut self) -> Option<String> {
        while let Some(line) = self.next_line() {
            if let Some(data) = line.strip_prefix("data:") {
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
                self.data.push('\n');
            } else if line.is_empty() && !self.data.is_empty() {
                let mut data = std::mem::take(&mut self.data);
                data.pop();
                return Some(data);
            }
            // Anything else is a comment, or a field that model endpoints do not use.
        }
        None
    }

    fn next_line(&mut self) -> Option<String> {
        let end = self.pending.iter().position(|&byte| byte == b'\n')?;
        let line: Vec<u8> = self.pending.drain(..=end).collect();
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str =
        ": hello\r\n\r\nevent: x\ndata: {\"é\"}\n\ndata:a\r\ndata: b\r\n\r\ndata: cut";

    fn read(piece: usize) -> Vec<String> {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for bytes in STREAM.as_bytes().chunks(piece) {
            reader.feed(bytes).unwrap();
            events.extend(std::iter::from_fn(|| reader.next_event()));
        }
        events
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_split() {
        for piece in 1..=STREAM.len() {
            assert_eq!(read(piece), ["{\"é\"}", "a\nb"], "pieces of {piece} bytes");
        }
    }

    #[test]
    fn an_event_without_end_is_given_up() {
        let mut reader = EventReader::default();
        let kilobyte = [b'x'; 1024];
        let fed = (0..=1024).try_for_each(|_| reader.feed(&kilobyte));
        assert!(matches!(fed, Err(UpstreamError::Nonsense(_))));
    }
}
