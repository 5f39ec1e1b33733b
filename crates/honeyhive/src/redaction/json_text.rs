//! JSON within a text is masked in the form in which it is sent.

use super::pairs::{is_name, is_value};
use super::scan::Scanner;
use super::walk::Walk;
use super::{MARK, arguments};

/// A list or an object is open around a value.
struct Open {
    /// The path of the list or object has this length.
    path: usize,
    /// The value has this place, in a list.
    index: Option<usize>,
    /// The item before gives the next one this name.
    said: Option<String>,
}

impl Walk<'_> {
    /// Masks valid JSON; `None` where nothing is masked in it.
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

    /// Keeps a text that names the value beside it, where that name hides it.
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
        if around.index.is_some() && around.said.is_none() {
            around.said = self.option_from(around.path, text).then(|| text.to_owned());
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
                    let (path, said) = (around.path, around.said.take());
                    if let Some(index) = &mut around.index {
                        self.item(scanner, *index, said.as_deref());
                        *index += 1;
                    } else {
                        around.said = self.member(scanner, path, said);
                    }
                    return true;
                }
            }
        }
        false
    }

    /// Goes to an item of a list, which the item before may name.
    fn item(&mut self, scanner: &mut Scanner<'_>, index: usize, said: Option<&str>) {
        match said.map(|said| arguments::name_of(said).ok_or(said)) {
            Some(Ok(_)) if scanner.begins_option() => self.go(&index.to_string()),
            Some(Ok(name) | Err(name)) => self.go(name),
            None => self.go(&index.to_string()),
        }
    }

    /// Takes a key and its colon, of a member that another may name: one before it, or one that is still to come.
    /// Returns the former name.
    fn member(
        &mut self,
        scanner: &mut Scanner<'_>,
        path: usize,
        said: Option<String>,
    ) -> Option<String> {
        let (start, json) = scanner.take(false);
        let key = text_of(json).unwrap_or_default();
        if let Some(masked) = self.key(&key) {
            scanner.replace(start, &as_json(&masked));
        }
        if scanner.peek() == Some(b':') {
            scanner.skip();
        }
        let is_value = is_value(&key);
        let ahead = (is_value && said.is_none())
            .then(|| self.said_ahead(scanner.fork(), path))
            .flatten();
        let name = said.as_deref().or(ahead.as_deref());
        self.go(name.filter(|_| is_value).unwrap_or(&key));
        said
    }

    /// Returns the name that a later member gives, where that name hides.
    fn said_ahead(&mut self, mut scanner: Scanner<'_>, path: usize) -> Option<String> {
        scanner.take(true);
        while scanner.peek() == Some(b',') {
            scanner.skip();
            let (_, key) = scanner.take(false);
            if scanner.peek() == Some(b':') {
                scanner.skip();
            }
            let (_, value) = scanner.take(true);
            let name = text_of(key)
                .filter(|key| is_name(key))
                .and_then(|_| text_of(value))
                .filter(|name| self.hides_from(path, name));
            if name.is_some() {
                return name;
            }
        }
        None
    }
}

/// Returns the text of a string in JSON. Half of a pair of surrogates has none, and stands for itself.
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
