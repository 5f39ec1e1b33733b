//! [`Program`]: a program of the guide, in a process of its own.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(180);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// A running program, which is killed where a test ends before it.
pub(crate) struct Program {
    child: Child,
    address: SocketAddr,
    /// The program's stderr, read while it runs: a full pipe would stop it.
    complaints: Option<JoinHandle<String>>,
}

impl Program {
    /// The program of all pages.
    pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_honeyhive-guide");

    /// Runs it with nothing in its environment but HoneyHive and an address to listen on.
    pub(crate) fn start(name: &str, honeyhive: &str) -> Self {
        let mut command = Command::new(Self::PATH);
        command.env_clear();
        Self::start_with(command, name, honeyhive)
    }

    /// Starts a program with the environment that the command has already.
    pub(crate) fn start_with(mut command: Command, name: &str, honeyhive: &str) -> Self {
        let address = free_address();
        let mut child = command
            .arg(name)
            .env("HH_API_KEY", "hh_guide")
            .env("HH_API_URL", honeyhive)
            .env("ADDRESS", address.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let complaints = child.stderr.take().map(|mut pipe| {
            thread::spawn(move || {
                let mut text = String::new();
                pipe.read_to_string(&mut text).unwrap();
                text
            })
        });
        Self {
            child,
            address,
            complaints,
        }
    }

    /// A connection, once it listens.
    pub(crate) fn connect(&mut self) -> TcpStream {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(stream) = TcpStream::connect(self.address) {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended: {}", self.said());
            assert!(Instant::now() < deadline, "it does not listen");
            thread::sleep(PAUSE);
        }
    }

    /// `-INT` is ctrl-c.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(killed.success());
    }

    pub(crate) fn end_well(self) {
        let (status, said) = self.end();
        assert!(status.success(), "{status}: {said}");
    }

    /// Waits for its end: how it ended, and what it complained of.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(PAUSE);
        };
        (status, self.said())
    }

    /// All of it, once it has ended.
    fn said(&mut self) -> String {
        let complaints = self.complaints.take().unwrap();
        complaints.join().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program has ended already, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nobody listens on, a different one each time.
fn free_address() -> SocketAddr {
    static TAKEN: Mutex<Vec<SocketAddr>> = Mutex::new(Vec::new());
    let mut taken = TAKEN.lock().unwrap();
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        if !taken.contains(&address) {
            taken.push(address);
            return address;
        }
    }
}
