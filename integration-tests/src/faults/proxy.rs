//! A [`FaultProxy`] does to bytes what can happen on their way.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::loopback::Loopback;

/// A `Cut` is a failure of a connection. Bytes are counted from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The connection is reset after so many bytes of requests.
    ResetAfterSent(usize),
    /// The connection is reset after so many bytes of answers.
    ResetAfterAnswered(usize),
    /// The connection is closed after so many bytes of answers.
    CloseAfterAnswered(usize),
    /// Nothing more comes after so many bytes of answers.
    HangAfterAnswered(usize),
    /// Answers come byte by byte, so long apart.
    Drip(Duration),
}

/// A `FaultProxy` stands between the SDK and a server. A connection passes unless a [`Cut`] is planned for it.
#[derive(Debug)]
pub struct FaultProxy {
    loopback: Loopback,
    plan: Arc<Mutex<VecDeque<Cut>>>,
    connections: Arc<AtomicUsize>,
}

impl FaultProxy {
    /// Starts a proxy in front of a server.
    #[must_use]
    pub fn start(upstream: SocketAddr) -> Self {
        let plan = Arc::<Mutex<VecDeque<Cut>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let (planned, counted) = (Arc::clone(&plan), Arc::clone(&connections));
        let loopback = Loopback::start(move |client| {
            counted.fetch_add(1, Ordering::Relaxed);
            let cut = planned
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            relay(client, upstream, cut)
        });
        Self {
            loopback,
            plan,
            connections,
        }
    }

    /// Returns the address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.loopback.address)
    }

    /// Plans the failures of the next connections, one after the other.
    pub fn cut(&self, cuts: impl IntoIterator<Item = Cut>) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.extend(cuts);
    }

    /// Returns the number of connections that were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn relay(mut client: TcpStream, upstream: SocketAddr, cut: Option<Cut>) -> io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    let mut room = Room::of(cut);
    let (mut sent, mut answered) = ([0; 4096], [0; 4096]);
    while room.is_left() {
        tokio::select! {
            read = client.read(&mut sent) => {
                let passing = room.take_sent(read?);
                if passing == 0 {
                    return Ok(());
                }
                server.write_all(&sent[..passing]).await?;
            }
            read = server.read(&mut answered) => {
                let passing = room.take_answered(read?);
                if passing == 0 {
                    return Ok(());
                }
                answer(&mut client, &answered[..passing], cut).await?;
            }
        }
    }
    end(&client, cut).await
}

async fn answer(client: &mut TcpStream, bytes: &[u8], cut: Option<Cut>) -> io::Result<()> {
    let Some(Cut::Drip(apart)) = cut else {
        return client.write_all(bytes).await;
    };
    for byte in bytes {
        client.write_all(&[*byte]).await?;
        tokio::time::sleep(apart).await;
    }
    Ok(())
}

async fn end(client: &TcpStream, cut: Option<Cut>) -> io::Result<()> {
    match cut {
        Some(Cut::HangAfterAnswered(_)) => pending().await,
        Some(Cut::ResetAfterSent(_) | Cut::ResetAfterAnswered(_)) => {
            // Closing a socket that may not linger sends RST instead of FIN.
            SockRef::from(client).set_linger(Some(Duration::ZERO))
        }
        _ => Ok(()),
    }
}

/// `Room` counts the bytes that may still pass.
struct Room {
    to_send: usize,
    to_answer: usize,
}

impl Room {
    const fn of(cut: Option<Cut>) -> Self {
        let mut room = Self {
            to_send: usize::MAX,
            to_answer: usize::MAX,
        };
        match cut {
            Some(Cut::ResetAfterSent(bytes)) => room.to_send = bytes,
            Some(
                Cut::ResetAfterAnswered(bytes)
                | Cut::CloseAfterAnswered(bytes)
                | Cut::HangAfterAnswered(bytes),
            ) => room.to_answer = bytes,
            Some(Cut::Drip(_)) | None => {}
        }
        room
    }

    const fn is_left(&self) -> bool {
        self.to_send > 0 && self.to_answer > 0
    }

    fn take_sent(&mut self, bytes: usize) -> usize {
        take(&mut self.to_send, bytes)
    }

    fn take_answered(&mut self, bytes: usize) -> usize {
        take(&mut self.to_answer, bytes)
    }
}

fn take(room: &mut usize, bytes: usize) -> usize {
    let passing = bytes.min(*room);
    *room -= passing;
    passing
}
