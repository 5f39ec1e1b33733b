//! The steps of a client beside a running program: the `console` block of a page.
//!
//! Of the shell this knows `$ curl`, with `-i`, `-s`, `-X`, `-H` and `-d`; `$ curl -sN … &`, whose answer is read to its end
//! once all steps are done; `$ kill -TERM`; `$ kill -STOP`, after which the program does nothing more; and `^C`. What
//! follows a call is its output, which must be the same but for ids and dates.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::ids::Ids;
use crate::program::Program;

pub(crate) fn play(console: &str, program: &mut Program, ids: &mut Ids) {
    let mut open = Vec::new();
    play_steps(console, ids, |step| match step {
        Step::Call(call) if call.is_in_background => {
            open.push(call.open(program.connect()));
            String::new()
        }
        Step::Call(call) => call.send(program.connect()),
        Step::Signal(signal) => {
            program.signal(signal);
            String::new()
        }
    });
    for mut answer in open {
        answer.read_to_end(&mut Vec::new()).unwrap();
    }
}

/// Plays the console, where `answer` returns the output of a call.
pub(crate) fn play_calls(console: &str, ids: &mut Ids, mut answer: impl FnMut(Call) -> String) {
    play_steps(console, ids, |step| match step {
        Step::Call(call) => answer(call),
        Step::Signal(signal) => panic!("nobody to send {signal}"),
    });
}

/// Takes the processor away.
pub(crate) const STOP: &str = "$ kill -STOP";

enum Step {
    Call(Call),
    Signal(&'static str),
}

fn play_steps(console: &str, ids: &mut Ids, mut output: impl FnMut(Step) -> String) {
    let console = console.replace("\\\n", " ");
    let mut lines = console.lines().peekable();
    while let Some(line) = lines.next() {
        let step = if line == "^C" {
            Step::Signal("-INT")
        } else if line.starts_with("$ kill -TERM") {
            Step::Signal("-TERM")
        } else if line.starts_with(STOP) {
            Step::Signal("-STOP")
        } else if let Some(words) = line.strip_prefix("$ curl ") {
            Step::Call(Call::parse(&ids.translate(words)))
        } else {
            panic!("not understood: {line}");
        };
        let actual = output(step);
        let is_output = |line: &&str| !line.starts_with("$ ") && *line != "^C";
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(is_output) {
            expected.push(line);
        }
        compare(&expected, &actual, ids);
    }
}

fn compare(expected: &[&str], actual: &str, ids: &mut Ids) {
    for (expected, actual) in expected.iter().zip(actual.lines()) {
        ids.learn(expected, actual);
    }
    let expected: Vec<_> = expected
        .iter()
        .map(|line| undated(&ids.translate(line)))
        .collect();
    let actual: Vec<_> = actual.lines().map(undated).collect();
    assert_eq!(actual, expected, "what the page shows is not what came");
}

/// A header line, with any date the same.
fn undated(line: &str) -> String {
    let is_date = line.starts_with("date: ");
    if is_date { "date: …" } else { line }.to_owned()
}

#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) url: String,
    method: Option<String>,
    headers: Vec<String>,
    pub(crate) body: String,
    shows_head: bool,
    is_in_background: bool,
}

impl Call {
    fn parse(line: &str) -> Self {
        let mut call = Self::default();
        let mut words = words(line).into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-s" | "-sN" => {}
                "&" => call.is_in_background = true,
                "-i" | "-si" => call.shows_head = true,
                "-X" => call.method = words.next(),
                "-H" => call.headers.extend(words.next()),
                "-d" => call.body = words.next().unwrap(),
                url => call.url = url.to_owned(),
            }
        }
        call
    }

    /// The output, as curl prints it.
    fn send(&self, stream: TcpStream) -> String {
        let (head, mut stream) = self.head(stream);
        let mut body = vec![0; content_length(&head)];
        stream.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        if self.shows_head { head + &body } else { body }
    }

    /// The rest of an answer that has begun.
    fn open(&self, stream: TcpStream) -> BufReader<TcpStream> {
        self.head(stream).1
    }

    fn head(&self, mut stream: TcpStream) -> (String, BufReader<TcpStream>) {
        stream.write_all(self.request().as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).unwrap(), 0, "cut short: {head}");
        }
        (head, stream)
    }

    fn request(&self) -> String {
        let path = self.url.strip_prefix("localhost:3000").unwrap();
        let default = if self.body.is_empty() { "GET" } else { "POST" };
        let method = self.method.as_deref().unwrap_or(default);
        let headers: String = self
            .headers
            .iter()
            .map(|header| format!("{header}\r\n"))
            .collect();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {}\r\n\r\n{}",
            self.body.len(),
            self.body
        )
    }
}

fn content_length(head: &str) -> usize {
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().unwrap())
}

/// The words of a shell line; in single quotes, spaces do not end one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
