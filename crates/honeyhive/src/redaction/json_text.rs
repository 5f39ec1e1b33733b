//! JSON that is a text, checked as it will be sent.

use super::MARK;
use super::pairs::{VALUE, is_name};
use super::scan::Scanner;
use super::walk::Walk;

/// A list or an object that is open around a value.
struct Open {
    /// The length of the path that leads to it.
    path: usize,
    /// The place of the value, in a list.
    index: Option<usize>,
    /// The name that what was read last says of what comes next.
    said: Option<String>,
}

impl Walk<'_> {
    /// Valid JSON; `None` where nothing is masked in it.
    pub(super) fn json_text(&mut self, json: &str) -> Option<String> {
        let mut scanner = Scanner::new(json);
        let mut open: Vec<Open> = Vec::new();
        let root = self.length();
        loop {
            self.value(&mut scanner, &mut open);
            if !self.next(&mut scanner, &mut open) {
                break;
            }
        }
        self.leave(root);
        scanner.finish()
    }

    /// Takes a value, or begins one that holds others.
    fn value(&mut self, scanner: &mut Scanner<'_>, open: &mut Vec<Open>) {
        if !open.is_empty()
            && let Some(hidden) = self.hidden()
        {
            let (start, json) = scanner.take(true);
            if self.mark_json(json, hidden) {
                scanner.replace(start, &as_json(MARK));
            }
            return;
        }
        let index = match scanner.peek() {
            Some(b'{') => None,
            Some(b'[') => Some(0),
            _ => return self.plain(scanner, open),
        };
        scanner.skip();
        open.push(Open {
            path: self.length(),
            index,
            said: None,
        });
    }

    /// Takes a value that holds no others.
    fn plain(&mut self, scanner: &mut Scanner<'_>, open: &mut [Open]) {
        let (start, json) = scanner.take(false);
        let masked = match text_of(json) {
            Some(text) => {
                self.note(open, &text);
                self.content(&text)
            }
            None => self.scalar(json),
        };
        if let Some(masked) = masked {
            scanner.replace(start, &as_json(&masked));
        }
    }

    /// Keeps a text that is the name of the value beside it, where that hides it.
    fn note(&mut self, open: &mut [Open], text: &str) {
        let is_in_list = matches!(open, [.., Open { index: Some(_), .. }, _]);
        let Some(around) = open.last_mut() else {
            return;
        };
        let is_name = match around.index {
            Some(next) => next == 1 && is_in_list,
            None => is_name(self.key_from(around.path)),
        };
        if is_name {
            around.said = self.hides_from(around.path, text).then(|| text.to_owned());
        }
    }

    /// Goes on to the next value; false at the end.
    fn next(&mut self, scanner: &mut Scanner<'_>, open: &mut Vec<Open>) -> bool {
        while let Some(around) = open.last_mut() {
            self.leave(around.path);
            match scanner.peek() {
                None => return false,
                Some(b',') => scanner.skip(),
                Some(b'}' | b']') => {
                    scanner.skip();
                    open.pop();
                }
                Some(_) => {
                    match &mut around.index {
                        Some(index) => {
                            match around.said.as_deref().filter(|_| *index == 1) {
                                Some(name) => self.go(name),
                                None => self.go(&index.to_string()),
                            }
                            *index += 1;
                        }
                        None => self.member(scanner, around.said.as_deref()),
                    }
                    return true;
                }
            }
        }
        false
    }

    /// Takes a key and its colon, of a member whose value may have been said to have another name.
    fn member(&mut self, scanner: &mut Scanner<'_>, said: Option<&str>) {
        let (start, json) = scanner.take(false);
        let key = text_of(json).unwrap_or_default();
        if let Some(masked) = self.key(&key) {
            scanner.replace(start, &as_json(&masked));
        }
        self.go(said.filter(|_| key == VALUE).unwrap_or(&key));
        if scanner.peek() == Some(b':') {
            scanner.skip();
        }
    }
}

/// The text of a string in JSON. Half of a pair of surrogates has none, and stands for itself.
fn text_of(json: &str) -> Option<String> {
    json.starts_with('"').then(|| {
        serde_json::from_str(json).unwrap_or_else(|_| {
            let inside = json.trim_matches('"');
            super::quotes::decoded(inside).into_owned()
        })
    })
}

fn as_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
