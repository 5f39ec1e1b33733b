//! Text on its way to the terminal is made harmless.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde_json::Value;

/// Prints lines, without anything that a terminal would obey. `println!` would panic when nobody reads.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{}", lines(text));
}

pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "honeyhive-local: {}", lines(text));
}

/// Prints a value on one line; control characters are escaped in it, so that a parser loses nothing.
pub(crate) fn json(value: &Value) {
    let mut text = String::new();
    for character in value.to_string().chars() {
        if is_obeyed(character) {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    say(&text);
}

/// Returns a text from outside on one line, without anything that a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.replace(is_obeyed, " ")
}

fn lines(text: &str) -> String {
    text.replace(|it| is_obeyed(it) && it != '\n' && it != '\t', " ")
}

/// Returns whether a terminal would do more with a character than show it: commands, and turns of the writing
/// direction.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns the beginning of a text, in at most so many columns.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= columns {
        return text;
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    kept + "…"
}

/// Returns a session in one line: when, which, how it ended, how long, what was asked and answered.
pub(crate) fn session_line(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    let answer = if text("error").is_empty() {
        text("output")
    } else {
        text("error")
    };
    format!(
        "{}  {:8}  {:22}  {:20}  {:>9}  {} → {}",
        clock(&row["start_time"]),
        plain(text("session_id"))
            .chars()
            .take(8)
            .collect::<String>(),
        cut(text("name"), 22),
        cut(&outcome(row), 20),
        duration(&row["duration"]),
        cut(text("input"), 40),
        cut(answer, 60),
    )
}

/// Returns the outcome of a session, in words.
pub(crate) fn outcome(row: &Value) -> String {
    let word = match row["outcome"].as_str() {
        Some("client_disconnected") => "client left".to_owned(),
        Some(word) => word.replace('_', " "),
        None if row["error"].is_string() => "error".to_owned(),
        None if row["duration"].is_null() => "open".to_owned(),
        None => "complete".to_owned(),
    };
    let errors = match row["errors"].as_i64() {
        Some(errors) if errors > 0 => format!(", {errors} failed"),
        _ => String::new(),
    };
    match row["status"].as_i64() {
        Some(status) => format!("{status} {word}{errors}"),
        None => word + &errors,
    }
}

/// Returns a number with its thing: `1 orphan`, `2 orphans`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Returns the time of the day in UTC.
pub(crate) fn clock(milliseconds: &Value) -> String {
    let seconds = milliseconds.as_f64().unwrap_or(0.0).max(0.0) as u64 / 1000;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

pub(crate) fn duration(milliseconds: &Value) -> String {
    match milliseconds.as_f64() {
        None => "-".to_owned(),
        Some(ms) if ms < 1000.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.2} s", ms / 1e3),
    }
}
