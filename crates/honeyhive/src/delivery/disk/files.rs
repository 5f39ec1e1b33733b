//! [`Disk`] runs the thread of the files.

use std::io;
use std::sync::mpsc;

use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use opentelemetry_http::Bytes;

use super::words::{Recalled, Request, Response};
use crate::delivery::priority;
use crate::delivery::sealed::{Body, Target};
use crate::spool::{Found, Kind, Next, Note, Place, Refused, Shelf, Spool, Store, Ticket};
use crate::wire::Payload;

/// The disk holds the files of the spool.
#[derive(Debug)]
struct Disk {
    settings: Spool,
    destination: u32,
    shelf: Shelf,
    /// The store is `None` while the folder cannot be used.
    store: Option<Store>,
    /// The trouble is the reason why the folder cannot be used.
    trouble: io::ErrorKind,
}

/// Starts the thread of the files. It ends when no sender of requests is left.
pub(in crate::delivery) fn start(
    settings: Spool,
    destination: u32,
    shelf: Shelf,
    tell: impl Fn(Response) -> bool + Send + 'static,
) -> io::Result<mpsc::Sender<Request>> {
    let (asks, asked) = mpsc::channel();
    let mut disk = Disk::new(settings, destination, shelf);
    std::thread::Builder::new()
        .name("honeyhive-spool".to_owned())
        .spawn(move || {
            priority::give_way();
            for ask in asked {
                let response = disk.answer(ask);
                let set_aside = disk.store.as_mut().map_or(0, Store::take_set_aside);
                if set_aside > 0 {
                    tell(Response::SetAside(set_aside));
                }
                if !tell(response) {
                    return;
                }
            }
        })?;
    Ok(asks)
}

impl Disk {
    const fn new(settings: Spool, destination: u32, shelf: Shelf) -> Self {
        Self {
            settings,
            destination,
            shelf,
            store: None,
            trouble: io::ErrorKind::NotFound,
        }
    }

    fn answer(&mut self, ask: Request) -> Response {
        match ask {
            Request::Look(mark) => Response::Looked(mark, self.look(mark)),
            Request::Write {
                number,
                target,
                body,
                items,
                mark,
            } => Response::Written(number, self.write(target, &body, items, mark)),
            Request::Read { records, bytes } => Response::Read(self.read(records, bytes)),
            Request::Settle(number, ticket) => {
                if let Some(store) = &mut self.store {
                    store.settle(&ticket);
                }
                Response::Settled(number)
            }
            Request::End => {
                // The store's files are free for other processes from here on.
                self.store = None;
                Response::Ended
            }
        }
    }

    /// Looks for files of ended processes. Only a look opens the folder.
    fn look(&mut self, mark: u64) -> io::Result<Found> {
        let found = self.store().and_then(|store| store.take_over(mark));
        if let Err(error) = &found {
            self.trouble = error.kind();
            if self.store.as_ref().is_none_or(Store::is_empty) {
                // Only the next look makes the folder anew, in case somebody has removed it.
                self.store = None;
            }
        }
        found
    }

    fn store(&mut self) -> io::Result<&mut Store> {
        match &mut self.store {
            Some(store) => Ok(store),
            none => {
                let shelf = self.shelf.clone();
                let store = Store::open(&self.settings, self.destination, shelf)?;
                Ok(none.insert(store))
            }
        }
    }

    fn write(
        &mut self,
        target: Target,
        body: &Body,
        items: u64,
        mark: u64,
    ) -> Result<Place, Refused> {
        let (kind, id) = match target {
            Target::Start(id) => (Kind::Start, id.to_bytes()),
            Target::Update(id) => (Kind::Update, id.to_bytes()),
            Target::Traces => (Kind::Traces, [0; 16]),
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
        match body {
            Body::Json(body) => store.append(note, body),
            Body::Encoded(payload) => store.append(note, &wrapped(payload)),
            Body::Plain(_) => Err(Refused::Full),
        }
    }

    fn read(&mut self, records: usize, bytes: usize) -> Vec<Recalled> {
        let mut read = Vec::new();
        let Some(store) = &mut self.store else {
            return read;
        };
        let mut taken = 0;
        while read.len() < records && taken < bytes {
            let next = match store.next() {
                Some(Next::Record(ticket, body)) => {
                    taken += body.len();
                    match body_of(&ticket.note, body) {
                        Some(body) => Recalled::Call(ticket, body),
                        None => gone(store, ticket),
                    }
                }
                Some(Next::Unreadable(ticket)) => gone(store, ticket),
                Some(Next::Lost(lost)) => Recalled::Lost(lost),
                Some(Next::Failed(error)) => {
                    read.push(Recalled::Failed(error));
                    break;
                }
                None => break,
            };
            read.push(next);
        }
        read
    }
}

fn gone(store: &mut Store, ticket: Ticket) -> Recalled {
    store.settle(&ticket);
    Recalled::Unreadable(ticket)
}

fn body_of(note: &Note, body: Vec<u8>) -> Option<Body> {
    match note.kind {
        Kind::Traces => {
            let payload = unwrapped(&body.into())?;
            Some(Body::Encoded(Box::new(payload)))
        }
        Kind::Start | Kind::Update => Some(Body::Json(body.into())),
    }
}

/// The type and the encoding of spans go with them: the next process may use others.
fn wrapped(payload: &Payload) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.bytes.len() + 64);
    for name in [CONTENT_TYPE, CONTENT_ENCODING] {
        let value = payload.headers.get(name);
        let value = value.map_or(&[][..], HeaderValue::as_bytes);
        // The headers are names of formats, so 255 bytes are enough.
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
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::model::id::SessionId;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("honeyhive-disk-{}", SessionId::new()))
    }

    fn disk(folder: &PathBuf) -> Disk {
        Disk::new(Spool::new(folder), 7, Shelf::default())
    }

    fn write(disk: &mut Disk) -> Result<Place, Refused> {
        let body = Body::Json(Bytes::new());
        disk.write(Target::Update(SessionId::new()), &body, 1, 0)
    }

    #[test]
    fn only_a_look_opens_the_folder() {
        let folder = folder();
        fs::write(&folder, "no folder yet").unwrap();
        let mut disk = disk(&folder);
        assert!(disk.look(0).is_err());
        fs::remove_file(&folder).unwrap();
        assert!(matches!(write(&mut disk), Err(Refused::Failed(_))));
        assert!(!folder.exists());
        assert!(disk.look(0).is_ok());
        write(&mut disk).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_was_removed_is_made_again() {
        let folder = folder();
        let mut disk = disk(&folder);
        disk.look(0).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(disk.look(0).is_err());
        assert!(write(&mut disk).is_err());
        disk.look(0).unwrap();
        write(&mut disk).unwrap();
        // The folder is removed with a file in it, too.
        fs::remove_dir_all(&folder).unwrap();
        disk.look(0).unwrap();
        write(&mut disk).unwrap();
        let files = fs::read_dir(&folder).unwrap().count();
        assert_eq!(files, 2, "a lock and a file");
        fs::remove_dir_all(folder).unwrap();
    }
}
