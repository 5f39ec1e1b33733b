//! JSON that is a text, checked as it will be sent.

use super::MARK;
use super::scan::Scanner;
use super::walk::Walk;

/// What is open around a value.
struct Open {
    /// The length of the path that leads to it.
    path: usize,
    /// The place of the value, in a list.
    index: Option<usize>,
}

impl Walk<'_> {
    /// Valid JSON; `None` where nothing is masked in it.
    pub(super) fn json_text(&mut self, json: &str) -> Option<String> {
        let mut scanner = Scanner::new(json);
        let mut open: Vec<Open> = Vec::new();
        let root = self.length();
        loop {
            let begun = self.value(&mut scanner, !open.is_empty());
            open.extend(begun);
            if !self.next(&mut scanner, &mut open) {
                break;
            }
        }
        self.leave(root);
        scanner.finish()
    }

    /// Takes a value, or begins one that holds others.
    fn value(&mut self, scanner: &mut Scanner<'_>, is_part: bool) -> Option<Open> {
        if is_part && let Some(hidden) = self.hidden() {
            let (start, json) = scanner.take(true);
            if self.mark_json(json, hidden) {
                scanner.replace(start, &as_json(MARK));
            }
            return None;
        }
        let path = self.length();
        match scanner.peek() {
            Some(b'{') => {
                scanner.skip();
                Some(Open { path, index: None })
            }
            Some(b'[') => {
                scanner.skip();
                Some(Open {
                    path,
                    index: Some(0),
                })
            }
            _ => {
                let (start, json) = scanner.take(false);
                let masked = match text_of(json) {
                    Some(text) => self.content(&text),
                    None => self.scalar(json),
                };
                if let Some(masked) = masked {
                    scanner.replace(start, &as_json(&masked));
                }
                None
            }
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
                            self.go(&index.to_string());
                            *index += 1;
                        }
                        None => self.member(scanner),
                    }
                    return true;
                }
            }
        }
        false
    }

    /// Takes a key and its colon.
    fn member(&mut self, scanner: &mut Scanner<'_>) {
        let (start, json) = scanner.take(false);
        let key = text_of(json).unwrap_or_default();
        if let Some(masked) = self.key(&key) {
            scanner.replace(start, &as_json(&masked));
        }
        self.go(&key);
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
