//! The screen, and the keys that change it, need no terminal, so tests can drive them.

use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{List, ListItem, ListState, Paragraph, Wrap};
use serde_json::Value;

use crate::client::encoded;
use crate::out;

/// Returns the sessions of an answer.
pub(super) fn rows(listed: &Value) -> Vec<Value> {
    listed["sessions"].as_array().cloned().unwrap_or_default()
}

/// An `Action` is the answer of the view to a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    None,
    Quit,
}

/// The `View` is the list, and perhaps one session over it.
pub(super) struct View {
    url: String,
    rows: Vec<Value>,
    total: u64,
    /// Whether older sessions may hold the words that are searched for.
    partial: bool,
    chosen: ListState,
    /// The session that is open: its id, its tree, and how far it is scrolled.
    open: Option<(String, String, u16)>,
    search: String,
    searching: bool,
    errors: bool,
}

impl View {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            rows: Vec::new(),
            total: 0,
            partial: false,
            chosen: ListState::default().with_selected(Some(0)),
            open: None,
            search: String::new(),
            searching: false,
            errors: false,
        }
    }

    /// Returns the conditions of the list, as in a URL.
    pub(super) fn query(&self) -> String {
        let errors = if self.errors { "&errors=1" } else { "" };
        format!("q={}{errors}", encoded(&self.search))
    }

    /// Takes new rows; the session under the cursor stays under it.
    pub(super) fn take(&mut self, listed: &Value) {
        let chosen = self.chosen_id().map(str::to_owned);
        self.total = listed["total"].as_u64().unwrap_or(0);
        self.partial = listed["partial"] == true;
        self.rows = rows(listed);
        let at = self
            .rows
            .iter()
            .position(|row| row["session_id"].as_str() == chosen.as_deref());
        let last = self.rows.len().saturating_sub(1);
        let kept = at.or(self.chosen.selected()).unwrap_or(0).min(last);
        self.chosen.select(Some(kept));
    }

    pub(super) fn take_tree(&mut self, text: &str) {
        if let Some((_, tree, _)) = &mut self.open {
            text.clone_into(tree);
        }
    }

    pub(super) fn open_id(&self) -> Option<&str> {
        self.open.as_ref().map(|(id, ..)| id.as_str())
    }

    fn chosen_id(&self) -> Option<&str> {
        self.rows.get(self.chosen.selected()?)?["session_id"].as_str()
    }

    pub(super) fn on_key(&mut self, key: KeyCode) -> Action {
        if self.searching {
            self.on_search_key(key);
            return Action::None;
        }
        match key {
            KeyCode::Char('q') => return Action::Quit,
            KeyCode::Char('j') | KeyCode::Down => self.step(1),
            KeyCode::Char('k') | KeyCode::Up => self.step(-1),
            KeyCode::Char('l') | KeyCode::Enter | KeyCode::Right => {
                self.open = self.chosen_id().map(|id| (id.to_owned(), String::new(), 0));
            }
            KeyCode::Char('h') | KeyCode::Esc | KeyCode::Left => self.open = None,
            KeyCode::Char('/') => (self.searching, self.open) = (true, None),
            KeyCode::Char('e') => self.errors = !self.errors,
            _ => {}
        }
        Action::None
    }

    fn on_search_key(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.searching = false,
            KeyCode::Esc => {
                self.searching = false;
                self.search.clear();
            }
            KeyCode::Backspace => drop(self.search.pop()),
            KeyCode::Char(character) => self.search.push(character),
            _ => {}
        }
    }

    /// Scrolls the open session, else goes through the list.
    fn step(&mut self, by: i16) {
        if let Some((_, tree, scrolled)) = &mut self.open {
            let most = u16::try_from(tree.lines().count())
                .unwrap_or(u16::MAX)
                .saturating_sub(1);
            *scrolled = scrolled.saturating_add_signed(by).min(most);
            return;
        }
        let last = self.rows.len().saturating_sub(1);
        let at = self.chosen.selected().unwrap_or(0);
        self.chosen
            .select(Some(at.saturating_add_signed(by.into()).min(last)));
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let areas = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(1),
            Constraint::Length(1),
        ]);
        let [head, body, foot] = areas.areas(frame.area());
        frame.render_widget(self.head(), head);
        match &self.open {
            Some((_, tree, scrolled)) => {
                let lines: Vec<Line<'_>> = tree.lines().map(tree_line).collect();
                frame.render_widget(
                    Paragraph::new(lines)
                        .wrap(Wrap { trim: false })
                        .scroll((*scrolled, 0)),
                    body,
                );
            }
            None if self.rows.is_empty() => {
                let words = format!(
                    "Nothing here. export HH_API_URL={} HH_API_KEY=hh_local",
                    self.url
                );
                frame.render_widget(Paragraph::new(words).dim(), body);
            }
            None => {
                let rows: Vec<ListItem<'_>> = self.rows.iter().map(row_item).collect();
                let list =
                    List::new(rows).highlight_style(Style::new().add_modifier(Modifier::REVERSED));
                frame.render_stateful_widget(list, body, &mut self.chosen);
            }
        }
        frame.render_widget(
            Paragraph::new("j k move  l open  h back  / search  e errors  q quit").dim(),
            foot,
        );
    }

    fn head(&self) -> Paragraph<'_> {
        let mut spans = vec![
            Span::from("honeyhive-local").bold().fg(Color::Yellow),
            Span::from(format!("  {}", out::counted(self.total, "session"))),
        ];
        if self.searching || !self.search.is_empty() {
            let cursor = if self.searching { "▏" } else { "" };
            spans.push(Span::from(format!("  /{}{cursor}", self.search)));
        }
        if self.errors {
            spans.push(Span::from("  errors only").fg(Color::Red));
        }
        if self.partial {
            spans.push(Span::from("  only the newest were looked at: search for more words").dim());
        }
        Paragraph::new(Line::from(spans))
    }
}

fn row_item(row: &Value) -> ListItem<'_> {
    let failed = row["errors"].as_i64().unwrap_or(0) > 0 || row["error"].is_string();
    let style = if failed {
        Style::new().fg(Color::Red)
    } else {
        Style::new()
    };
    ListItem::new(out::session_line(row)).style(style)
}

fn tree_line(line: &str) -> Line<'_> {
    if line.trim_start().starts_with("! ") {
        return Line::from(line).fg(Color::Red);
    }
    Line::from(line)
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::KeyCode;
    use serde_json::{Value, json};

    use super::{Action, View};

    fn listed(ids: &[&str]) -> Value {
        let rows: Vec<Value> = ids.iter().map(|id| json!({ "session_id": id, "name": format!("name of {id}"), "input": "a\u{1b}[31mb" })).collect();
        json!({ "sessions": rows, "total": ids.len() })
    }

    fn shown(view: &mut View) -> String {
        let mut terminal = Terminal::new(TestBackend::new(100, 8)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let cells = buffer
            .content()
            .chunks(100)
            .map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
        cells.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_session_under_the_cursor_stays_there_when_others_come() {
        let mut view = View::new("http://x");
        view.take(&listed(&["b", "a"]));
        view.on_key(KeyCode::Char('j'));
        view.take(&listed(&["d", "c", "b", "a"]));
        view.on_key(KeyCode::Enter);
        assert_eq!(view.open_id(), Some("a"));
        view.take_tree("a tree\n  ! it failed");
        assert!(shown(&mut view).contains("it failed"));
        view.on_key(KeyCode::Esc);
        assert!(shown(&mut view).contains("name of d"));
        assert_eq!(view.on_key(KeyCode::Char('q')), Action::Quit);
    }

    #[test]
    fn a_search_is_typed_and_left_and_nothing_from_outside_reaches_the_terminal_as_a_command() {
        let mut view = View::new("http://x");
        view.take(&listed(&["a"]));
        assert!(!shown(&mut view).contains('\u{1b}'));
        for key in ['/', 'q', ' ', 'x'] {
            view.on_key(KeyCode::Char(key));
        }
        assert_eq!(view.query(), "q=q%20x");
        view.on_key(KeyCode::Enter);
        view.on_key(KeyCode::Char('e'));
        assert_eq!(view.query(), "q=q%20x&errors=1");
        view.take(&listed(&[]));
        assert!(shown(&mut view).contains("export HH_API_URL=http://x"));
    }

    #[test]
    fn a_search_that_stopped_before_the_oldest_says_so() {
        let mut view = View::new("http://x");
        let mut found = listed(&["a"]);
        view.take(&found);
        assert!(!shown(&mut view).contains("only the newest"));
        found["partial"] = json!(true);
        view.take(&found);
        assert!(shown(&mut view).contains("only the newest were looked at"));
    }
}
