//! The spool as the engine sees it: calls that are ready to be made, on disk instead of in memory.
//!
//! While something of a session is on disk, everything later of it goes there too, so the order of the files is
//! the order of each session. Of what is read back only a window is in memory.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use opentelemetry_http::Bytes;
use tokio::time::Instant;

use super::changes::Call;
use super::sink::Ready;
use crate::model::id::SessionId;
use crate::outbox::StartRecord;
use crate::spool::{Found, Kind, Next, Note, Place, Refused, Spool, Store, Ticket};
use crate::wire::Payload;

/// How often the folder is looked into for what processes have left that are gone.
const LOOK: Duration = Duration::from_secs(2);
/// How much of what is on disk is in memory at a time.
const WINDOW: usize = 32;
const WINDOW_BYTES: usize = 8 * 1024 * 1024;
/// From so many starts on those are forgotten whose session nobody has any more.
const MANY_STARTS: usize = 1024;

/// A call on disk that was read back.
#[derive(Debug)]
pub(super) struct Recalled {
    ticket: Ticket,
    pub(super) call: Ready,
    /// So many of the record's items end with this call,
    items: u32,
    /// and the others with these: the record was too large for one.
    others: Vec<(Ready, u32)>,
    bytes: usize,
    pub(super) attempts: u32,
    /// How often HoneyHive did not know what it is about.
    pub(super) times_unknown: u32,
    pub(super) successes_before: Option<u64>,
    pub(super) retry_at: Option<Instant>,
    pub(super) in_flight: bool,
    /// Names it while it is under way.
    pub(super) number: u64,
}

impl Recalled {
    /// The call is made in two parts, one after the other.
    pub(super) fn split(&mut self, parts: [(Ready, u64); 2]) {
        let [(first, count), (second, _)] = parts;
        // A record has no more items than that.
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(self.items);
        self.others.push((second, self.items - count));
        (self.call, self.items) = (first, count);
    }

    /// Goes on with the next part, where there is one.
    fn take_up_next_part(&mut self) -> bool {
        let Some((call, items)) = self.others.pop() else {
            return false;
        };
        (self.call, self.items) = (call, items);
        self.attempts = 0;
        self.successes_before = None;
        self.retry_at = None;
        true
    }
}

#[derive(Debug)]
pub(super) struct Spooling {
    settings: Spool,
    destination: u32,
    /// `None` while the folder cannot be used,
    store: Option<Store>,
    /// and then why.
    trouble: io::ErrorKind,
    look_at: Option<Instant>,
    window: VecDeque<Recalled>,
    numbers: u64,
    /// The key was refused; what is on disk can wait until somebody has put that right.
    pub(super) pause_until: Option<Instant>,
    /// The starts of this process that are on disk, while somebody has their session.
    starts: BTreeMap<Place, Weak<StartRecord>>,
    /// With so many it is looked who still has theirs.
    many_starts: usize,
    /// Where the latest call was written.
    latest: Option<Place>,
}

impl Spooling {
    pub(super) fn new(settings: Spool, destination: u32) -> Self {
        Self {
            settings,
            destination,
            store: None,
            trouble: io::ErrorKind::NotFound,
            look_at: None,
            window: VecDeque::new(),
            numbers: 0,
            pause_until: None,
            starts: BTreeMap::new(),
            many_starts: MANY_STARTS,
            latest: None,
        }
    }

    /// Looks for what others have left, when it is time; its records get this mark. Nothing is written before
    /// the first look.
    pub(super) fn look(&mut self, mark: u64, now: Instant) -> Option<io::Result<Found>> {
        if self.look_at.is_some_and(|then| now < then) {
            return None;
        }
        self.look_at = Some(now + LOOK);
        let found = self.store().and_then(|store| store.take_over(mark));
        if let Err(error) = &found {
            self.trouble = error.kind();
            if self.is_empty() {
                // Whoever removed the folder may not make it again: the next look does.
                self.store = None;
            }
        }
        Some(found)
    }

    fn store(&mut self) -> io::Result<&mut Store> {
        match &mut self.store {
            Some(store) => Ok(store),
            none => Ok(none.insert(Store::open(&self.settings, self.destination)?)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.store.as_ref().is_none_or(Store::is_empty)
    }

    pub(super) fn has_start(&self, id: SessionId) -> bool {
        let store = self.store.as_ref();
        store.is_some_and(|store| store.has_start(&id.to_bytes()))
    }

    pub(super) fn has_any(&self, id: SessionId) -> bool {
        let store = self.store.as_ref();
        store.is_some_and(|store| store.has_any(&id.to_bytes()))
    }

    pub(super) fn has_traces(&self) -> bool {
        self.store.as_ref().is_some_and(Store::has_traces)
    }

    /// Spans are under way, or next. Those further back come after what is being asked for now.
    pub(super) fn is_about_to_send_traces(&self) -> bool {
        let mut kinds = self.window.iter().map(|it| it.ticket.note.kind);
        kinds.any(|kind| kind == Kind::Traces)
    }

    pub(super) fn take_set_aside(&mut self) -> u64 {
        self.store.as_mut().map_or(0, Store::take_set_aside)
    }

    /// Writes a call to disk, behind all others.
    pub(super) fn append(&mut self, call: &Ready, items: u64, mark: u64) -> Result<(), Refused> {
        let (kind, id) = match call {
            Ready::Start(id, _) => (Kind::Start, id.to_bytes()),
            Ready::Update(id, _) => (Kind::Update, id.to_bytes()),
            Ready::Traces(_) => (Kind::Traces, [0; 16]),
        };
        let note = Note {
            kind,
            id,
            items: u32::try_from(items).map_err(|_| Refused::Full)?,
            mark,
        };
        let Some(store) = &mut self.store else {
            return Err(Refused::Failed(self.trouble.into()));
        };
        let place = match call {
            Ready::Start(_, body) | Ready::Update(_, body) => store.append(note, body),
            Ready::Traces(payload) => store.append(note, &wrapped(payload)),
        };
        self.latest = Some(place?);
        Ok(())
    }

    /// This is the start of the call that was written last.
    pub(super) fn remember_start(&mut self, start: &Arc<StartRecord>) {
        if self.starts.len() >= self.many_starts {
            self.starts.retain(|_, start| start.strong_count() > 0);
            self.many_starts = MANY_STARTS.max(2 * self.starts.len());
        }
        if let Some(place) = self.latest {
            self.starts.insert(place, Arc::downgrade(start));
        }
    }

    /// The start of a call that has come back.
    pub(super) fn start_of(&self, number: u64) -> Option<Arc<StartRecord>> {
        let recalled = self.window.iter().find(|it| it.number == number)?;
        self.starts.get(&recalled.ticket.place)?.upgrade()
    }

    /// Reads ahead. What cannot be read is returned: it has its outcome.
    pub(super) fn read_ahead(&mut self) -> Vec<Unread> {
        let mut unread = Vec::new();
        let Some(store) = &mut self.store else {
            return unread;
        };
        let mut bytes: usize = self.window.iter().map(|it| it.bytes).sum();
        while self.window.len() < WINDOW && bytes < WINDOW_BYTES {
            match store.next() {
                Some(Next::Record(ticket, body)) => {
                    let length = body.len();
                    let Some(call) = ready(&ticket.note, body) else {
                        store.settle(&ticket);
                        unread.push(Unread::record(&ticket, &mut self.starts));
                        continue;
                    };
                    bytes += length;
                    self.numbers += 1;
                    self.window.push_back(Recalled {
                        items: ticket.note.items,
                        ticket,
                        call,
                        others: Vec::new(),
                        bytes: length,
                        attempts: 0,
                        times_unknown: 0,
                        successes_before: None,
                        retry_at: None,
                        in_flight: false,
                        number: self.numbers,
                    });
                }
                Some(Next::Unreadable(ticket)) => {
                    store.settle(&ticket);
                    unread.push(Unread::record(&ticket, &mut self.starts));
                }
                Some(Next::Lost(lost)) => unread.push(Unread::Lost {
                    starts: take_starts(&mut self.starts, lost.places()),
                    items: lost.items,
                }),
                Some(Next::Failed(error)) => {
                    unread.push(Unread::Later(error));
                    break;
                }
                None => break,
            }
        }
        unread
    }

    /// The oldest call that may be made now, of a kind that gets through.
    pub(super) fn next(
        &mut self,
        now: Instant,
        gets_through: impl Fn(Kind) -> bool,
    ) -> Option<(u64, Ready)> {
        if self.pause_until.is_some_and(|then| now < then) {
            return None;
        }
        let index = (0..self.window.len()).find(|index| {
            let it = &self.window[*index];
            !it.in_flight
                && it.retry_at.is_none_or(|then| now >= then)
                && gets_through(it.ticket.note.kind)
                && !self.is_blocked(*index)
        })?;
        let it = self.window.get_mut(index)?;
        it.in_flight = true;
        Some((it.number, it.call.clone()))
    }

    /// True while something older has to come first.
    fn is_blocked(&self, index: usize) -> bool {
        let this = &self.window[index].ticket.note;
        self.window.range(..index).any(|older| {
            let older = &older.ticket.note;
            match (older.kind, this.kind) {
                // Spans wait for their session; which ones they are of nobody has noted. And they may be what
                // creates the session, or the event, that is added to.
                (Kind::Start, Kind::Traces) | (Kind::Traces, Kind::Update) => true,
                (Kind::Traces, _) | (_, Kind::Traces) => false,
                _ => older.id == this.id,
            }
        })
    }

    pub(super) fn get(&mut self, number: u64) -> Option<&mut Recalled> {
        self.window.iter_mut().find(|it| it.number == number)
    }

    pub(super) fn times_unknown(&self, number: u64) -> u32 {
        let recalled = self.window.iter().find(|it| it.number == number);
        recalled.map_or(0, |it| it.times_unknown)
    }

    /// The call has its outcome, and so has the record, unless it is made of more. Says what ended with it.
    pub(super) fn end(&mut self, number: u64) -> Option<Note> {
        let index = self.window.iter().position(|it| it.number == number)?;
        let recalled = self.window.get_mut(index)?;
        let note = Note {
            items: recalled.items,
            ..recalled.ticket.note
        };
        if !recalled.take_up_next_part()
            && let Some(recalled) = self.window.remove(index)
            && let Some(store) = &mut self.store
        {
            self.starts.remove(&recalled.ticket.place);
            store.settle(&recalled.ticket);
        }
        Some(note)
    }

    /// Somebody waits: everything is tried at once.
    pub(super) fn forget_backoff(&mut self) {
        self.pause_until = None;
        for it in &mut self.window {
            it.retry_at = None;
        }
    }
}

/// What was on disk and cannot be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It will never be delivered.
    Lost {
        /// So many, by mark.
        items: BTreeMap<u64, u64>,
        /// Those of this process that were among them.
        starts: Vec<Arc<StartRecord>>,
    },
    /// It is tried again.
    Later(io::Error),
}

impl Unread {
    fn record(ticket: &Ticket, starts: &mut BTreeMap<Place, Weak<StartRecord>>) -> Self {
        Self::Lost {
            items: [(ticket.note.mark, u64::from(ticket.note.items))].into(),
            starts: take_starts(starts, ticket.place..=ticket.place),
        }
    }
}

fn take_starts(
    starts: &mut BTreeMap<Place, Weak<StartRecord>>,
    places: RangeInclusive<Place>,
) -> Vec<Arc<StartRecord>> {
    let taken: Vec<_> = starts.range(places).map(|(place, _)| *place).collect();
    let starts = taken.iter().filter_map(|place| starts.remove(place));
    starts.filter_map(|start| start.upgrade()).collect()
}

pub(super) fn ready_call(call: &Call) -> Option<Ready> {
    match call {
        Call::Start(body) => {
            let bytes = serde_json::to_vec(body).ok()?;
            Some(Ready::Start(body.session_id, bytes.into()))
        }
        Call::Update(id, body) => Some(Ready::Update(*id, serde_json::to_vec(body).ok()?.into())),
    }
}

fn ready(note: &Note, body: Vec<u8>) -> Option<Ready> {
    let id = SessionId::from_bytes(note.id);
    Some(match note.kind {
        Kind::Start => Ready::Start(id, body.into()),
        Kind::Update => Ready::Update(id, body.into()),
        Kind::Traces => Ready::Traces(unwrapped(&body.into())?),
    })
}

/// The type and the encoding of spans go with them: the next process may use others.
fn wrapped(payload: &Payload) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.bytes.len() + 64);
    for name in [CONTENT_TYPE, CONTENT_ENCODING] {
        let value = payload.headers.get(name);
        let value = value.map_or(&[][..], HeaderValue::as_bytes);
        // They are the names of formats.
        let value = &value[..value.len().min(255)];
        bytes.push(value.len() as u8);
        bytes.extend_from_slice(value);
    }
    bytes.extend_from_slice(&payload.bytes);
    bytes
}

fn unwrapped(bytes: &Bytes) -> Option<Payload> {
    let (content_type, at) = text_at(bytes, 0)?;
    let (encoding, at) = text_at(bytes, at)?;
    Some(Payload::new(content_type, encoding, bytes.slice(at..)))
}

fn text_at(bytes: &Bytes, at: usize) -> Option<(HeaderValue, usize)> {
    let end = at + 1 + usize::from(*bytes.get(at)?);
    let value = HeaderValue::from_bytes(bytes.get(at + 1..end)?).ok()?;
    Some((value, end))
}

#[cfg(test)]
#[cfg(feature = "spool")]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("honeyhive-spooling-{}", SessionId::new()))
    }

    fn append(spooling: &mut Spooling) -> Result<(), Refused> {
        spooling.append(&Ready::Update(SessionId::new(), Bytes::new()), 1, 0)
    }

    #[test]
    fn only_a_look_opens_the_folder() {
        let folder = folder();
        fs::write(&folder, "no folder yet").unwrap();
        let (mut spooling, now) = (Spooling::new(Spool::new(&folder), 7), Instant::now());
        assert!(matches!(spooling.look(0, now), Some(Err(_))));
        fs::remove_file(&folder).unwrap();
        assert!(matches!(append(&mut spooling), Err(Refused::Failed(_))));
        assert!(!folder.exists());
        assert!(spooling.look(0, now).is_none(), "too early");
        assert!(matches!(spooling.look(0, now + LOOK), Some(Ok(_))));
        append(&mut spooling).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_was_removed_is_made_again() {
        let folder = folder();
        let (mut spooling, now) = (Spooling::new(Spool::new(&folder), 7), Instant::now());
        assert!(matches!(spooling.look(0, now), Some(Ok(_))));
        fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(spooling.look(0, now + LOOK), Some(Err(_))));
        assert!(append(&mut spooling).is_err());
        assert!(matches!(spooling.look(0, now + 2 * LOOK), Some(Ok(_))));
        append(&mut spooling).unwrap();
        // With something in it, too.
        fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(spooling.look(0, now + 3 * LOOK), Some(Ok(_))));
        append(&mut spooling).unwrap();
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            2,
            "a lock and a file"
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
